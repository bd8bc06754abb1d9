// `funcpipe simulate` with the real program: what it prints and writes, and what it refuses with exit code 2.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/units.h"
#include "cli/scratch_job.h"
#include "plan/plan.h"
#include "planner/made_profile.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class SimulateCommand : public ::testing::Test {
 protected:
  SimulateCommand() : job_("simulate_command"), profile_(made_profile(*load_platform("aws-lambda"))) {
    EXPECT_TRUE(save_profile(profile_, job_.folder() / "profile.json"));
    plan_.model = profile_.model.source;
    plan_.fingerprint = profile_.model.fingerprint;
    plan_.stages = {{.first_layer = 0, .end_layer = 6, .memory_mb = 4096},
                    {.first_layer = 6, .end_layer = 12, .memory_mb = 6144}};
    plan_.replicas = 2;
    plan_.global_batch = 32;
    plan_.micro_batch = 4;
    save();
  }

  void save() const { job_.write("plan.json", to_json(plan_).dump()); }
  ChildOutput simulate(std::vector<std::string> more) const {
    more.insert(more.begin(), {"simulate", "plan.json", "--profile", "profile.json"});
    return job_.run(more);
  }
  void expect_refused(const std::vector<std::string>& more, const std::vector<std::string>& said) const {
    const ChildOutput output = simulate(more);
    EXPECT_EQ(output.exit_code, 2) << output.out << output.err;
    for (const std::string& text : said) EXPECT_THAT(output.err, HasSubstr(text));
    EXPECT_THAT(output.err, Not(HasSubstr("terminate called")));
    EXPECT_EQ(output.out, "");
  }

  ScratchJob job_;
  Profile profile_;
  Plan plan_;
};

TEST_F(SimulateCommand, PrintsSecondsAndTheBill) {
  const ChildOutput output = simulate({"--iterations", "8"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("2 stages, 2 replicas"), HasSubstr("median of the others"),
                                HasSubstr("Busiest: stage"), HasSubstr("Bill"), HasSubstr("6144 MB")));
  EXPECT_EQ(output.err, "");
}

TEST_F(SimulateCommand, WritesTheSameTraceForTheSameSeed) {
  const std::vector<std::string> drawn{"--latency", "drawn", "--iterations", "3", "--seed", "7", "--trace"};
  const auto traced = [&](const std::string& file, const std::string& seed) {
    std::vector<std::string> arguments = drawn;
    arguments[5] = seed;
    arguments.push_back(file);
    const ChildOutput output = simulate(arguments);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    return *read_file(job_.folder() / file);
  };
  const std::string first = traced("a.json", "7");
  EXPECT_EQ(first, traced("b.json", "7"));
  EXPECT_NE(first, traced("c.json", "8"));
  EXPECT_GT(json::parse(first)["traceEvents"].size(), 100u);
  const ChildOutput picture =
      job_.run({"timeline", "plan.json", "--profile", "profile.json", "--trace", "a.json", "--out", "t.svg"});
  EXPECT_EQ(picture.exit_code, 0) << picture.err;
}

TEST_F(SimulateCommand, AnswersInJson) {
  const ChildOutput output = simulate({"--iterations", "4", "--json"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const json result = json::parse(output.out);
  EXPECT_EQ(result["iteration_seconds"].size(), 4u);
  EXPECT_GT(result["bill"]["total"]["put"], 0);
  EXPECT_EQ(result["stages"].size(), 2u);
  EXPECT_TRUE(result["programs_proven"]);
}

TEST_F(SimulateCommand, TellsHowAKilledJobEnds) {
  const ChildOutput output = simulate({"--faults", "kill=1.1@4"});
  EXPECT_EQ(output.exit_code, 1) << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("The job fails after 4.00 s"), HasSubstr("stage 1 replica 1"), HasSubstr("Bill")));
  const ChildOutput in_json = simulate({"--faults", "kill=1.1@4", "--json"});
  EXPECT_EQ(in_json.exit_code, 1) << in_json.err;
  EXPECT_TRUE(json::parse(in_json.out).contains("failure"));
}

TEST_F(SimulateCommand, RefusesWithTheWayOut) {
  expect_refused({"--faults", "earthquake=1.0x2"}, {"--faults", "no fault 'earthquake'", "kill=STAGE.REPLICA@SECONDS"});
  expect_refused({"--faults", "kill=2.0@1"}, {"--faults", "no stage 2 replica 0", "STAGE.REPLICA"});
  expect_refused({"--trace", "nowhere/t.json"}, {"nowhere/t.json", "No such file or directory", "--trace trace.json"});
  expect_refused({"--iterations", "0"}, {"--iterations"});
  expect_refused({"--latency", "drawn", "--platform", "shaped-70MBps"}, {"--latency", "percentiles"});
  expect_refused({"--platform", "moon"}, {"--platform", "moon"});
}

TEST_F(SimulateCommand, RefusesWhatIsNoNumberOfItsKind) {
  for (const char* flag : {"--lifetime", "--wait-limit", "--iterations", "--connections"})
    for (const char* number : {"nan", "inf", "-inf", "-1", "0", "1e999", "x"}) expect_refused({flag, number}, {flag});
  for (const char* seconds : {"1.5", "86401"}) expect_refused({"--lifetime", seconds}, {"--lifetime"});
}

TEST_F(SimulateCommand, RefusesALifetimeInWhichNothingFits) {
  expect_refused({"--lifetime", "1"}, {"--lifetime", "too short", "for a snapshot", "raise the lifetime"});
}

TEST_F(SimulateCommand, BeginsWithWhatTheJobTakes) {
  const ChildOutput output = simulate({"--iterations", "50"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const ChildOutput in_json = simulate({"--iterations", "50", "--json"});
  const json result = json::parse(in_json.out);
  const double dollars = result["bill"]["total"]["dollars"].get<double>() + result["storage_dollars"].get<double>();
  const std::string line = fmt::format("The job takes {} and {}\n",
                                       format_seconds(result["total_seconds"].get<double>()), format_dollars(dollars));
  EXPECT_THAT(output.out, HasSubstr("50 iterations\n\n" + line));
}

TEST_F(SimulateCommand, RefusesPlansThatDoNotFit) {
  plan_.fingerprint = "fedcba9876543210";
  save();
  expect_refused({}, {"plan.json", "fedcba9876543210", "hint"});
  job_.write("plan.json", "{");
  expect_refused({}, {"plan.json"});
  fs::remove(job_.folder() / "plan.json");
  expect_refused({}, {"plan.json"});
}

TEST_F(SimulateCommand, ATraceThatFindsNoRoomIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP();
  expect_refused({"--trace", "/dev/full"}, {"/dev/full", "cannot be written"});
}

}  // namespace
}  // namespace funcpipe
