// What a job needs of this machine: child processes and the results folder.
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "job/child_process.h"
#include "job/results_folder.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

fs::path fresh_folder(const char* name) {
  const fs::path folder = fs::path(::testing::TempDir()) / name;
  fs::remove_all(folder);
  return folder;
}

TEST(RunChild, GivesBothOutputsAndTheExitCode) {
  const auto output = run_child("/bin/sh", {"-c", "echo out; echo err >&2; exit 3"});
  ASSERT_TRUE(output) << describe(output.error());
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_code, 3);
}

TEST(RunChild, TakesMuchOutputOnBothPipesAtOnce) {
  const auto output = run_child("/bin/sh", {"-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out.size(), 3000000u);
  EXPECT_EQ(output->err.size(), 3000000u);
}

TEST(RunChild, SaysWhichSignalEndedIt) {
  EXPECT_EQ(run_child("/bin/sh", {"-c", "kill -9 $$"})->exit_code, 137);
}

TEST(RunChild, AMissingProgramIsNotFound) {
  const auto output = run_child("/nonexistent/program", {});
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::not_found);
}

TEST(RunChild, AStopEndsItWithItsChildren) {
  std::stop_source source;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    source.request_stop();
  });
  const auto start = std::chrono::steady_clock::now();
  const auto output = run_child("/bin/sh", {"-c", "sleep 60; echo never"}, source.get_token());
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().code, ErrorCode::cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST(ResultsFolder, AppearsWhenCommittedAndNotBefore) {
  const fs::path folder = fresh_folder("results_commit");
  {
    auto results = ResultsFolder::open(folder);
    ASSERT_TRUE(results) << describe(results.error());
    ASSERT_TRUE(write_file(results->staging() / "model.pt", "new"));
    EXPECT_FALSE(fs::exists(folder / "model.pt"));
    ASSERT_TRUE(results->commit());
  }
  EXPECT_EQ(*read_file(folder / "model.pt"), "new");
  EXPECT_FALSE(fs::exists(folder / ".partial"));
}

TEST(ResultsFolder, AFailedRunLeavesTheFormerResultAlone) {
  const fs::path folder = fresh_folder("results_keep");
  ASSERT_TRUE(write_file(folder / "model.pt", "old"));
  {
    auto results = ResultsFolder::open(folder);
    ASSERT_TRUE(results);
    ASSERT_TRUE(write_file(results->staging() / "model.pt", "half"));
  }
  EXPECT_EQ(*read_file(folder / "model.pt"), "old");
  EXPECT_FALSE(fs::exists(folder / ".partial"));
}

TEST(ResultsFolder, AFailedFirstRunLeavesNothing) {
  const fs::path folder = fresh_folder("results_nothing");
  { ASSERT_TRUE(ResultsFolder::open(folder)); }
  EXPECT_FALSE(fs::exists(folder));
}

TEST(ResultsFolder, HasOneHolderAtATime) {
  const fs::path folder = fresh_folder("results_lock");
  auto first = ResultsFolder::open(folder);
  ASSERT_TRUE(first);
  const auto second = ResultsFolder::open(folder);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("another run"));
}

TEST(ResultsFolder, NamesAPlaceThatCannotBeWritten) {
  const auto results = ResultsFolder::open("/proc/nowhere/results");
  ASSERT_FALSE(results);
  EXPECT_THAT(results.error().place, HasSubstr("/proc/nowhere"));
}

}  // namespace
}  // namespace funcpipe
