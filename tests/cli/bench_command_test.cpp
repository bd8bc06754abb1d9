// `funcpipe bench paper` with the real program: what it writes, and what it refuses with exit code 2.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/files.h"
#include "cli/scratch_job.h"
#include "planner/made_profile.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BenchCommand : public ::testing::Test {
 protected:
  BenchCommand() : job_("bench_command") {
    EXPECT_TRUE(save_profile(made_profile(*load_platform("aws-lambda-70MBps"), 6), job_.folder() / "made.json"));
  }
  ChildOutput paper(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"bench",     "paper", "--models",    "made.json",
                                       "--batches", "8",     "--platforms", "aws-lambda-70MBps"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return job_.run(arguments);
  }
  void expect_refused(const ChildOutput& output, const std::string& said) const {
    EXPECT_EQ(output.exit_code, 2) << output.out << output.err;
    EXPECT_THAT(output.err, HasSubstr(said));
    EXPECT_THAT(output.err, Not(HasSubstr("terminate called")));
  }
  ScratchJob job_;
};

// That two runs write the same bytes is tested without the program (comparison_test.cpp).
TEST_F(BenchCommand, WritesResultsAndPlansThatCanBePlayed) {
  const ChildOutput output = paper({"--out", "a", "--plans", "a/plans"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, HasSubstr("Results: a/README.md"));
  for (const char* system : {"lambdaml", "hybridps-ga", "tpdmp-plan", "funcpipe-as-published", "ours"}) {
    const std::string plan = fmt::format("a/plans/made-aws-lambda-70MBps-8-{}-time.json", system);
    const ChildOutput played = job_.run({"simulate", plan, "--profile", "made.json"});
    EXPECT_EQ(played.exit_code, 0) << plan << played.err;
  }
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(job_.folder() / "a")) {
    if (entry.is_directory()) continue;
    ++files;
    EXPECT_GT(entry.file_size(), 0) << entry.path();
  }
  EXPECT_GE(files, 13);
}

TEST_F(BenchCommand, RefusesBadInput) {
  expect_refused(job_.run({"bench", "paper", "--models", "resnet102"}), "resnet101");
  expect_refused(job_.run({"bench", "paper", "--models", "none.json"}), "none.json");
  expect_refused(paper({"--platforms", "aws-lambada"}), "aws-lambada");
  expect_refused(paper({"--batches", "16,x"}), "--batches");
  expect_refused(paper({"--out", "/proc/nowhere"}), "/proc/nowhere");
  expect_refused(paper({"--plans", "/proc/nowhere"}), "/proc/nowhere");
  expect_refused(paper({"--threads", "-1"}), "--threads");
  expect_refused(job_.run({"bench"}), "subcommand");
}

}  // namespace
}  // namespace funcpipe
