#include "job/report_archive.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/files.h"
#include "golden_file.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

class Archive : public ::testing::Test {
 protected:
  Archive() : file(fs::path(::testing::TempDir()) / fmt::format("reports-{}.jsonl", ::getpid())) { fs::remove(file); }
  ~Archive() override { fs::remove(file); }
  static std::string key(int i) { return fmt::format("job/report/i{:08}-r0.json", i); }
  static std::string text(int i) { return fmt::format("[\"report {}\"]\n", i); }

  MemoryStore store;
  const fs::path file;
};

TEST_F(Archive, ReleasesWhatItHasReadAndStillHasIt) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store.put(key(i), text(i)));
  ASSERT_TRUE(store.put("job/trained/stage-00.pt", "weights"));
  {
    ReportArchive archive(store, file);
    EXPECT_EQ(*archive.get_text("job/report/none"), std::nullopt);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(**archive.get_text(key(i)), text(i));
  }
  EXPECT_LT(store.list("job/report/")->size(), 40u) << "of 100, at most a batch";
  EXPECT_EQ(**store.get_text("job/trained/stage-00.pt"), "weights");
  ReportArchive later(store, file);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(later.get_text(key(i))->value_or("none"), text(i)) << i;
}

TEST_F(Archive, ReadsAndWritesTheGoldenFile) {
  constexpr const char* kGolden = "job/data/reports-v1.jsonl";
  for (const int i : {1, 2}) ASSERT_TRUE(store.put(key(i), text(i)));
  {
    ReportArchive archive(store, file);
    for (const int i : {1, 2}) EXPECT_EQ(**archive.get_text(key(i)), text(i));
  }
  expect_golden(read_file(file).value_or(""), kGolden);
  ASSERT_TRUE(write_file(file, golden_text(kGolden)));
  MemoryStore empty;
  ReportArchive archive(empty, file);
  for (const int i : {1, 2}) EXPECT_EQ(archive.get_text(key(i))->value_or("none"), text(i));
}

TEST_F(Archive, AHalfWrittenLineIsReadFromTheStoreAgain) {
  ASSERT_TRUE(store.put(key(1), text(1)));
  ASSERT_TRUE(store.put(key(2), text(2)));
  {
    ReportArchive archive(store, file);
    EXPECT_EQ(**archive.get_text(key(1)), text(1));
  }
  std::ofstream(file, std::ios::app) << R"({"key": "job/report/i00000002-r0.json", "te)";
  {
    ReportArchive archive(store, file);
    EXPECT_EQ(**archive.get_text(key(2)), text(2));
  }
  MemoryStore empty;
  ReportArchive archive(empty, file);
  EXPECT_EQ(archive.get_text(key(1))->value_or("none"), text(1));
  EXPECT_EQ(archive.get_text(key(2))->value_or("none"), text(2));
}

TEST_F(Archive, WhatTheDiskDoesNotTakeStaysInTheStore) {
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(store.put(key(i), text(i)));
  ReportArchive archive(store, "/proc/nowhere/reports.jsonl");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(**archive.get_text(key(i)), text(i));
  EXPECT_EQ(store.list("job/report/")->size(), 100u);
}

}  // namespace
}  // namespace funcpipe
