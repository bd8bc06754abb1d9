#include "job/results_folder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/files.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;

class Results : public ::testing::Test {
 protected:
  Results() : folder(fs::path(::testing::TempDir()) / fmt::format("results-{}", ::getpid())) {
    fs::remove_all(folder);
    for (const char* name : {"model.pt", "trace.json", "notes.txt"}) EXPECT_TRUE(write_file(folder / name, "former"));
  }
  ~Results() override { fs::remove_all(folder); }

  void expect_new_results() const {
    EXPECT_EQ(read_file(folder / "model.pt").value_or("none"), "new");
    EXPECT_EQ(read_file(folder / "history.jsonl").value_or("none"), "new");
    EXPECT_FALSE(fs::exists(folder / "trace.json")) << "it tells of the former run";
    EXPECT_EQ(read_file(folder / "notes.txt").value_or("none"), "former") << "nobody's result";
    EXPECT_FALSE(fs::exists(folder / ".commit"));
    EXPECT_FALSE(fs::exists(folder / ".names"));
    EXPECT_FALSE(fs::exists(folder / "cut"));
  }

  const fs::path folder;
};

void make(const ResultsFolder& results) {
  for (const char* name : {"model.pt", "history.jsonl", "cut/stage-00.pt"})
    ASSERT_TRUE(write_file(results.staging() / name, "new"));
}

TEST_F(Results, ReplaceThoseOfTheFormerRunAndNothingElse) {
  auto results = ResultsFolder::open(folder);
  ASSERT_TRUE(results) << describe(results.error());
  make(*results);
  const auto committed = results->commit();
  ASSERT_TRUE(committed) << describe(committed.error());
  expect_new_results();
}

TEST_F(Results, StayAsTheyAreWithoutACommit) {
  {
    auto results = ResultsFolder::open(folder);
    ASSERT_TRUE(results);
    make(*results);
  }
  EXPECT_EQ(*read_file(folder / "model.pt"), "former");
  EXPECT_TRUE(fs::exists(folder / "trace.json"));
  EXPECT_FALSE(fs::exists(folder / ".partial"));
}

// As a kill between two renames leaves them.
TEST_F(Results, OfAnInterruptedCommitAreFinishedByWhoeverOpensTheFolder) {
  ASSERT_TRUE(write_file(folder / ".commit/.names", "\nmodel.pt\nhistory.jsonl\n"));
  ASSERT_TRUE(write_file(folder / ".commit/history.jsonl", "new"));
  ASSERT_TRUE(write_file(folder / "model.pt", "new")) << "moved before the kill";
  const auto results = ResultsFolder::open(folder);
  ASSERT_TRUE(results) << describe(results.error());
  expect_new_results();
}

TEST_F(Results, WhatSomebodyElsePutThereIsInTheWayAndStays) {
  for (const char* name : {".partial/mine", ".commit/mine", ".runs"}) {
    ASSERT_TRUE(write_file(folder / name, "mine"));
    {
      const auto dead = ResultsFolder::open_dead(folder);
      ASSERT_TRUE(dead) << describe(dead.error());
      EXPECT_EQ(dead->foreign().size(), 1u) << name;
    }
    {
      const auto results = ResultsFolder::open(folder);
      ASSERT_FALSE(results) << name;
      EXPECT_EQ(results.error().code, ErrorCode::already_exists);
      EXPECT_NE(results.error().hint, "");
    }
    EXPECT_EQ(read_file(folder / name).value_or("none"), "mine");
    fs::remove_all((folder / name).parent_path() == folder ? folder / name : (folder / name).parent_path());
  }
}

TEST_F(Results, OfAKilledRunAreRemoved) {
  ASSERT_TRUE(write_file(folder / "elsewhere/.partial/mine", "mine"));
  {
    auto results = ResultsFolder::open(folder);
    ASSERT_TRUE(results);
    make(*results);
    fs::rename(results->staging(), folder / "kept");
  }
  fs::rename(folder / "kept", folder / ".partial");  // as a kill leaves it
  const auto dead = ResultsFolder::open_dead(folder);
  ASSERT_TRUE(dead);
  EXPECT_EQ(dead->cleared().size(), 1u);
  EXPECT_FALSE(fs::exists(folder / ".partial"));
  EXPECT_TRUE(fs::exists(folder / "elsewhere/.partial/mine"));
}

TEST_F(Results, AFolderInTheWayIsNamedBeforeAnythingIsReplaced) {
  fs::create_directories(folder / "history.jsonl/mine");
  auto results = ResultsFolder::open(folder);
  ASSERT_TRUE(results);
  make(*results);
  const auto committed = results->commit();
  ASSERT_FALSE(committed);
  EXPECT_NE(committed.error().place.find("history.jsonl"), std::string::npos);
  EXPECT_EQ(*read_file(folder / "model.pt"), "former");
  EXPECT_TRUE(fs::exists(folder / "history.jsonl/mine"));
}

TEST_F(Results, AreHeldByOneProcess) {
  const auto held = ResultsFolder::open(folder);
  ASSERT_TRUE(held);
  const auto second = ResultsFolder::open_dead(folder);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::unavailable);
  const auto missing = ResultsFolder::open_dead(folder / "elsewhere");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace funcpipe
