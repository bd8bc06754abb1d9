#include "job/plan_by_profile.h"

#include <gmock/gmock.h>

#include <filesystem>

#include "base/files.h"
#include "job/resolve.h"
#include "planner/made_profile.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PlanByProfile : public ::testing::Test {
 protected:
  PlanByProfile() : platform_(*load_platform("aws-lambda")), profile_(made_profile(platform_)) {
    const auto file = std::filesystem::path(::testing::TempDir()) / "plan_by_profile.json";
    EXPECT_TRUE(save_profile(profile_, file));
    config_.parallelism.profile = file.string();
    config_.training.global_batch = 32;
  }
  Result<PlanOfJob> plan() const {
    return plan_by_profile(config_, profile_.model, platform_, {.optimizer_copies = 1}, 500, {});
  }
  void set(const char* option) { config_.given[option] = std::string("--") + option; }

  Platform platform_;
  Profile profile_;
  JobConfig config_;
};

TEST_F(PlanByProfile, IsForJobsThatSayNeitherPlanNorStages) {
  EXPECT_EQ(plan_source(config_), PlanSource::profile);
  EXPECT_EQ(plan_source(JobConfig{}), PlanSource::even_cut);
  JobConfig cut = config_;
  cut.given["parallelism.stages"] = "job.toml:3";
  EXPECT_EQ(plan_source(cut), PlanSource::even_cut);
  config_.parallelism.plan = "plan.json";
  EXPECT_EQ(plan_source(config_), PlanSource::file);
}

TEST_F(PlanByProfile, GivesAPlanTheJobAcceptsAndSaysItInALine) {
  const auto planned = plan();
  ASSERT_TRUE(planned) << describe(planned.error());
  EXPECT_EQ(planned->plan.global_batch, 32);
  EXPECT_EQ(planned->plan.stages.back().end_layer, 12);
  EXPECT_THAT(planned->summary,
              AllOf(HasSubstr("replica"), HasSubstr("MB"), HasSubstr("an iteration"), HasSubstr("$")));
  EXPECT_TRUE(validate(planned->plan, profile_.model, platform_, {.optimizer_copies = 1}));
}

TEST_F(PlanByProfile, SaysThatTheProfileIsForAnotherPlatform) {
  EXPECT_EQ(plan()->remark, "");
  platform_.name = "another-cloud";
  const auto planned = plan();
  ASSERT_TRUE(planned) << describe(planned.error());
  EXPECT_THAT(planned->remark,
              AllOf(HasSubstr("for platform " + profile_.platform), HasSubstr("is for another-cloud")));
}

TEST_F(PlanByProfile, KeepsToWhatTheJobSets) {
  config_.training.micro_batch = 2;
  config_.platform.memory_mb = 6144;
  config_.parallelism.sync = "three-phase";
  EXPECT_NE(plan()->plan.micro_batch, 2) << "a default is nobody's wish";
  set("training.micro_batch");
  set("parallelism.sync");
  const auto planned = plan();
  ASSERT_TRUE(planned) << describe(planned.error());
  EXPECT_EQ(planned->plan.micro_batch, 2);
  for (const StagePlan& stage : planned->plan.stages) EXPECT_EQ(stage.memory_mb, 6144);
  if (planned->plan.replicas > 1) {
    EXPECT_EQ(planned->plan.sync, SyncAlgorithm::three_phase);
  }
}

TEST_F(PlanByProfile, KeepsToTheReplicasAndTheOrderOfTheJobOrRefuses) {
  config_.parallelism.replicas = 3;
  set("parallelism.replicas");
  const auto planned = plan();
  ASSERT_TRUE(planned) << describe(planned.error());
  EXPECT_EQ(planned->plan.replicas, 3);
  set("parallelism.order");
  config_.parallelism.order = to_string(planned->plan.order);
  EXPECT_TRUE(plan());
  config_.parallelism.order = config_.parallelism.order == "gpipe" ? "1f1b" : "gpipe";
  const auto refused = plan();
  ASSERT_FALSE(refused);
  EXPECT_EQ(exit_code(refused.error()), 2);
  EXPECT_EQ(refused.error().place, "--parallelism.order");
}

TEST_F(PlanByProfile, KeepsToTheVcpusOfTheJobAlsoWhereTheProfileLacksThem) {
  platform_ = *load_platform("alibaba-fc");
  config_.platform.vcpus = 2;
  const auto planned = plan();
  ASSERT_TRUE(planned) << describe(planned.error());
  for (const StagePlan& stage : planned->plan.stages) {
    EXPECT_EQ(stage.vcpus, 2);
    EXPECT_NE(platform_.exact_size(stage.memory_mb, 2), nullptr);
  }
}

TEST_F(PlanByProfile, FollowsTheObjective) {
  config_.parallelism.objective = "cost";
  const auto cheapest = plan();
  config_.parallelism.objective = "time";
  const auto fastest = plan();
  ASSERT_TRUE(cheapest && fastest);
  EXPECT_GT(fastest->plan.worker_count(), cheapest->plan.worker_count());
}

TEST_F(PlanByProfile, RefusesWhatCannotBe) {
  const auto refused = [&](const char* place, const char* said) {
    const auto planned = plan();
    ASSERT_FALSE(planned) << said;
    EXPECT_EQ(exit_code(planned.error()), 2);
    EXPECT_THAT(planned.error().place, HasSubstr(place));
    EXPECT_THAT(describe(planned.error()), HasSubstr(said));
  };
  config_.parallelism.objective = "fast";
  set("parallelism.objective");
  refused("--parallelism.objective", "balanced");
  config_.parallelism.objective = "deadline=1";
  refused("plan_by_profile.json", "nearest deadline");
  config_.parallelism.objective = "balanced";
  config_.platform.memory_mb = 777;
  refused("plan_by_profile.json", "none of the function sizes profiled");
  config_.platform.memory_mb = 0;
  config_.parallelism.sync = "parameter-server";
  set("parallelism.sync");
  refused("--parallelism.sync", "not searched");
  config_.given.erase("parallelism.sync");
  profile_.model.fingerprint = "another";
  refused("plan_by_profile.json", "of another model");
  config_.parallelism.profile = "/nonexistent/profile.json";
  refused("/nonexistent/profile.json", "cannot read");
}

}  // namespace
}  // namespace funcpipe
