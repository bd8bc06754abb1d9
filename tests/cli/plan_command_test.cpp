// `funcpipe plan` with the real program: what it prints and writes, and what it refuses with exit code 2.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/files.h"
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

class PlanCommand : public ::testing::Test {
 protected:
  PlanCommand() : job_("plan_command"), profile_(made_profile(*load_platform("aws-lambda"))) { save(); }

  void save() const { ASSERT_TRUE(save_profile(profile_, job_.folder() / "profile.json")); }
  ChildOutput plan(std::vector<std::string> more) const {
    more.insert(more.begin(), {"plan", "profile.json", "--batch", "32"});
    return job_.run(more);
  }
  void expect_refused(const std::vector<std::string>& more, const std::vector<std::string>& said) const {
    const ChildOutput output = plan(more);
    EXPECT_EQ(output.exit_code, 2) << output.out << output.err;
    for (const std::string& text : said) EXPECT_THAT(output.err, HasSubstr(text));
    EXPECT_THAT(output.err, Not(HasSubstr("terminate called")));
    EXPECT_EQ(output.out, "");
    EXPECT_FALSE(fs::exists(job_.folder() / "plan.json"));
  }

  ScratchJob job_;
  Profile profile_;
};

TEST_F(PlanCommand, PrintsTheFrontierAndWritesPlanAndPicture) {
  const ChildOutput output = plan({"--objective", "time", "--out", "plan.json", "--picture", "frontier.svg"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("=>"), HasSubstr("Chosen (the fastest)"), HasSubstr("an iteration takes"),
                                HasSubstr("--parallelism.plan plan.json")));
  const auto written = read_json(job_.folder() / "plan.json");
  ASSERT_TRUE(written);
  const auto chosen = plan_from_json(*written, "plan.json");
  ASSERT_TRUE(chosen) << describe(chosen.error());
  EXPECT_EQ(chosen->global_batch, 32);
  EXPECT_EQ(chosen->fingerprint, profile_.model.fingerprint);
  EXPECT_THAT(*read_file(job_.folder() / "frontier.svg"), HasSubstr("<svg"));

  // Judged, it is the optimum it was.
  const ChildOutput judged = plan({"--objective", "time", "--fixed", "plan.json"});
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  EXPECT_THAT(judged.out, HasSubstr("as fast and as cheap as the chosen plan"));
}

TEST_F(PlanCommand, JudgesCutsOfTheUsersBesideTheOptimum) {
  const ChildOutput output =
      plan({"--cuts", "4,8", "--memory", "4096", "--replicas", "2", "--micro-batch", "4", "--json"});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  const json result = json::parse(output.out);
  const json& own = result["own"];
  EXPECT_EQ(own["plan"]["stages"][1]["first_layer"], 4);
  EXPECT_EQ(own["plan"]["stages"][2]["memory_mb"], 4096);
  EXPECT_EQ(own["plan"]["replicas"], 2);
  bool matched = false;
  for (const json& point : result["frontier"])
    matched |= point["prediction"]["iteration_seconds"] <= own["prediction"]["iteration_seconds"] &&
               point["prediction"]["iteration_dollars"] <= own["prediction"]["iteration_dollars"];
  EXPECT_TRUE(matched);
}

TEST_F(PlanCommand, ChoosesVcpusApartFromMemoryOnFunctionCompute) {
  const std::vector<std::string> there{"--platform", "alibaba-fc", "--replicas", "1,2", "--micro-batch", "4"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), there.begin(), there.end());
    return more;
  };
  const ChildOutput output = plan(with({"--out", "plan.json", "--cuts", "4,8", "--memory", "8192:4"}));
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out,
              AllOf(HasSubstr("derived from 10240 MB with 5.79 vCPUs"), HasSubstr("MB:vCPUs"), HasSubstr("3x8192:4")));
  const auto chosen = plan_from_json(*read_json(job_.folder() / "plan.json"), "plan.json");
  ASSERT_TRUE(chosen) << describe(chosen.error());
  const Platform platform = *load_platform("alibaba-fc");
  for (const StagePlan& stage : chosen->stages)
    EXPECT_NE(platform.exact_size(stage.memory_mb, stage.vcpus), nullptr) << to_string(stage.size());
  const ChildOutput judged = plan(with({"--fixed", "plan.json", "--json"}));
  ASSERT_EQ(judged.exit_code, 0) << judged.err;
  const json result = json::parse(judged.out);
  EXPECT_EQ(result["derived_from"]["memory_mb"], 10240);
  EXPECT_GT(result["own"]["prediction"]["vcpu_seconds"], 0);
  fs::remove(job_.folder() / "plan.json");

  expect_refused(with({"--cuts", "4,8", "--memory", "2048:4"}),
                 {"stage 0 asks for 4 vCPUs with 2048 MB, which alibaba-fc does not offer", "0.5, 1, 2"});
  expect_refused(with({"--cuts", "4,8", "--memory", "2048:"}), {"--memory", "2048:0.5"});
  expect_refused({"--cuts", "4,8", "--memory", "2048:4"}, {"4 vCPUs with 2048 MB, which aws-lambda does not offer"});
}

// Of every platform there is, though the profile is of one: plan, simulate and timeline speak of the same sizes.
TEST_F(PlanCommand, APlanForAnotherPlatformIsTakenByWhateverPlaysIt) {
  std::map<std::string, double> seconds;
  for (const std::string& platform : platform_names()) {
    const ChildOutput output = plan({"--platform", platform, "--replicas", "1,2", "--micro-batch", "4", "--objective",
                                     "time", "--out", "plan.json", "--json"});
    ASSERT_EQ(output.exit_code, 0) << platform << output.err;
    const json said = json::parse(output.out);
    const json& chosen = said["frontier"][said["chosen"].get<std::size_t>()];
    const ChildOutput simulated = job_.run(
        {"simulate", "plan.json", "--profile", "profile.json", "--platform", platform, "--iterations", "14", "--json"});
    ASSERT_EQ(simulated.exit_code, 0) << platform << simulated.err;
    const json played = json::parse(simulated.out);
    EXPECT_EQ(played["predicted_iteration_seconds"], chosen["prediction"]["iteration_seconds"]) << platform;
    // Of the iterations before the last, once workers have learnt when objects come.
    std::vector<double> steady;
    for (const std::size_t i : {10, 11, 12}) steady.push_back(played["iteration_seconds"][i]);
    std::ranges::sort(steady);
    EXPECT_NEAR(chosen["played"]["iteration_seconds"], steady[1], 0.01 * steady[1]) << platform;
    const ChildOutput timeline =
        job_.run({"timeline", "plan.json", "--profile", "profile.json", "--platform", platform, "--iterations", "3"});
    EXPECT_EQ(timeline.exit_code, 0) << platform << timeline.err;
    const ChildOutput own = plan(
        {"--platform", platform, "--cuts", "6", "--memory", "8192", "--replicas", "1", "--micro-batch", "4", "--json"});
    ASSERT_EQ(own.exit_code, 0) << platform << own.err;
    seconds[platform] = json::parse(own.out)["own"]["prediction"]["stages"][0]["computing_seconds"];
  }
  // The profile's vCPUs have 0.6 of this machine's speed.
  EXPECT_NEAR(seconds["aws-lambda-3gbit"], seconds["aws-lambda"], 0.01 * seconds["aws-lambda"]);
  EXPECT_LT(seconds["local"], 0.75 * seconds["aws-lambda"]);
  EXPECT_DOUBLE_EQ(seconds["local"], seconds["shaped-70MBps"]);
}

TEST_F(PlanCommand, SaysWhatPlayingFoundAndHowGoodTheFrontierIs) {
  const ChildOutput output = plan({});
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.out, AllOf(HasSubstr("exactly: there is none better"), HasSubstr("as played"),
                                HasSubstr("by its formula"), HasSubstr("layed")));
  const ChildOutput formulas = plan({"--play", "0"});
  ASSERT_EQ(formulas.exit_code, 0) << formulas.err;
  EXPECT_THAT(formulas.out, Not(HasSubstr("as played")));
  const ChildOutput merged = plan({"--layers", "6", "--json"});
  ASSERT_EQ(merged.exit_code, 0) << merged.err;
  EXPECT_EQ(json::parse(merged.out)["proof"]["exact"], false);
  EXPECT_EQ(json::parse(merged.out)["proof"]["gap"], json());
}

TEST_F(PlanCommand, WarnsWhereTheStoreMakesAFormulaWorthless) {
  std::string text = *read_file(platforms_folder() / "aws-lambda-70MBps.toml");
  const auto put = [&](const std::string& old, const std::string& by) { text.replace(text.find(old), old.size(), by); };
  put("puts_per_second = 3500", "puts_per_second = 60");
  put("gets_per_second = 5500", "gets_per_second = 90");
  job_.write("slow.toml", text);
  const ChildOutput output =
      plan({"--platform", "slow.toml", "--replicas", "8", "--micro-batch", "1", "--objective", "time", "--json"});
  const json said = json::parse(output.out);
  const json& chosen = said["frontier"][said["chosen"].get<std::size_t>()];
  const double predicted = chosen["prediction"]["iteration_seconds"], played = chosen["played"]["iteration_seconds"];
  const std::string words = said["rehearsal"].dump();
  EXPECT_EQ(words.find("Warning") != std::string::npos, std::abs(played / predicted - 1) > 0.1) << words;
  // A store of so few requests: at the least what its limit says.
  EXPECT_GT(predicted, chosen["prediction"]["put"].get<double>() / 1000 / 60 * 0.9);
}

TEST_F(PlanCommand, ThePapersCostIsLessThanTheBill) {
  const auto cheapest = [&](const char* model) {
    const ChildOutput output = plan({"--objective", "cost", "--json", "--cost-model", model});
    EXPECT_EQ(output.exit_code, 0) << output.err;
    return json::parse(output.out)["frontier"].back()["prediction"]["iteration_dollars"].get<double>();
  };
  EXPECT_LT(cheapest("paper"), cheapest("bill"));
}

TEST_F(PlanCommand, RefusesWhatCannotBe) {
  expect_refused({"--objective", "deadline=0.001", "--out", "plan.json"},
                 {"no plan trains within", "nearest deadline"});
  expect_refused({"--objective", "budget=0.0001"}, {"no plan costs at most", "nearest budget"});
  expect_refused({"--objective", "speed"}, {"--objective", "balanced"});
  expect_refused({"--platform", "aws-lamda"}, {"aws-lamda", "aws-lambda"});
  expect_refused({"--platform", "alibaba-fc", "--fixed", "none.json"}, {"none.json"});
  expect_refused({"--replicas", "64"}, {"64 replicas", "at most 32"});
  expect_refused({"--replicas", "4-1"}, {"--replicas", "4-1"});
  expect_refused({"--micro-batch", "64"}, {"from 1 to 32"});
  expect_refused({"--cuts", "8,4", "--memory", "1024"}, {"cut 4 comes after cut 8"});
  expect_refused({"--cuts", "12", "--memory", "1024"}, {"no layer 12", "from 1 to 11"});
  expect_refused({"--cuts", "4", "--memory", "1024,2048,3072"}, {"3 sizes for 2 stages"});
  expect_refused({"--cuts", "4"}, {"--memory"});
  expect_refused({"--memory", "1024", "--replicas", "1"}, {"does not fit its function of 1024 MB", "give it"});
  expect_refused({"--iterations", "0"}, {"at least 1 iteration"});
}

TEST_F(PlanCommand, RefusesProfilesThatAreNone) {
  const std::string good = *read_file(job_.folder() / "profile.json");
  const auto with = [&](const std::string& text, const std::string& by, const std::vector<std::string>& said) {
    std::string changed = good;
    const std::size_t at = changed.find(text);
    ASSERT_NE(at, std::string::npos) << text;
    job_.write("profile.json", changed.replace(at, text.size(), by));
    expect_refused({}, said);
  };
  with("\"version\": 1", "\"version\": 2", {"profile.json", "version 2"});
  with("\"backward\":", "\"backward\":-", {"profile.json", "micro_batches[0].times[0][0].backward", "non-negative"});
  with("\"backward\":", "\"backward\":NaN, \"x\": ", {"profile.json"});
  with("\"backward\":", "\"backward\":1e999, \"x\": ", {"profile.json"});
  fs::remove(job_.folder() / "profile.json");
  expect_refused({}, {"profile.json", "No such file"});
}

TEST_F(PlanCommand, ALayerNoFunctionHoldsIsNamed) {
  for (MicroBatchProfile& at : profile_.micro_batches) at.sizes[7].working = 16 * kGiB;
  save();
  expect_refused({}, {"layer 7 (block7)", "more than the largest function profiled, 10240 MB", "alibaba-fc"});
}

}  // namespace
}  // namespace funcpipe
