#include "base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {
namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  Files() : folder_(fs::temp_directory_path() / fmt::format("funcpipe-files-{}", ::getpid())) {}
  ~Files() override { fs::remove_all(folder_); }
  fs::path folder_;
};

TEST_F(Files, WritesMakeFoldersAndLeaveNoPartialFile) {
  const fs::path path = folder_ / "a" / "b.txt";
  ASSERT_TRUE(write_file(path, "first"));
  ASSERT_TRUE(write_file(path, "second"));
  EXPECT_EQ(*read_file(path), "second");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a"), {}), 1);
}

// Whoever opens a pipe that nobody writes to, or reads one, may wait for ever.
TEST_F(Files, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  fs::create_directories(folder_);
  const fs::path pipe_file = folder_ / "pipe";
  ASSERT_EQ(mkfifo(pipe_file.c_str(), 0600), 0);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  for (const fs::path& path : {pipe_file, fs::path(fmt::format("/dev/fd/{}", ends[0])), fs::path("/dev/zero"),
                               fs::path("/dev/null"), folder_}) {
    const auto content = read_file(path);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(content.error().place, path.string());
    EXPECT_NE(content.error().message.find("not a regular file"), std::string::npos) << content.error().message;
    EXPECT_NE(content.error().hint, "");
  }
  close(ends[0]);
  close(ends[1]);
  EXPECT_NE(read_file("/proc/self/status").value_or(""), "") << "a file without a size";
}

TEST_F(Files, APipeIsWrittenToAndNotReplaced) {
  fs::create_directories(folder_);
  const fs::path path = folder_ / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  EXPECT_TRUE(write_file(path, "text"));
  char content[8] = {};
  EXPECT_EQ(read(reader, content, sizeof content), 4);
  close(reader);
  EXPECT_TRUE(fs::is_fifo(path));
}

// RLIMIT_FSIZE stands in for a full disk: the write fails part way with EFBIG.
TEST_F(Files, AFailedWriteLeavesTheOldContentAndNoPartialFile) {
  const fs::path path = folder_ / "a.txt";
  ASSERT_TRUE(write_file(path, "old"));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit tight{4096, before.rlim_max};
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto written = write_file(path, std::string(1 << 20, 'x'));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().place, path.string());
  EXPECT_EQ(*read_file(path), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(Files, ReadingNamesWhatIsMissingOrWrong) {
  EXPECT_EQ(read_file(folder_ / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(fs::temp_directory_path()).error().code, ErrorCode::invalid_input);
  ASSERT_TRUE(write_file(folder_ / "bad.json", "{\"a\": }"));
  const auto error = read_json(folder_ / "bad.json").error();
  EXPECT_EQ(error.code, ErrorCode::invalid_input);
  EXPECT_NE(error.message.find("byte 7"), std::string::npos) << error.message;
  EXPECT_EQ(parse_json("[1e999]", "there").error().code, ErrorCode::invalid_input);
}

}  // namespace
}  // namespace funcpipe
