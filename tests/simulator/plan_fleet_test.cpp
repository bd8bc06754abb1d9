// Plans on profiles: the simulator's seconds are the planner's, where the planner is exact.
#include "simulator/plan_fleet.h"

#include <gmock/gmock.h>

#include "planner/made_profile.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PlanFleets : public ::testing::Test {
 protected:
  PlanFleets()
      : platform_(*load_platform("aws-lambda-70MBps")), profile_(made_profile(platform_)), task_{profile_, platform_} {
    plan_.fingerprint = profile_.model.fingerprint;
    plan_.stages = {{.first_layer = 0, .end_layer = 4, .memory_mb = 4096},
                    {.first_layer = 4, .end_layer = 8, .memory_mb = 4096},
                    {.first_layer = 8, .end_layer = 12, .memory_mb = 4096}};
    plan_.global_batch = 32;
    plan_.micro_batch = 4;
    task_.state.optimizer_copies = 1;
  }

  SimulationResult simulated(const PlanFleet& fleet, Waiting waiting) const {
    SimulationOptions options{.store = *store_model(platform_, false), .iterations = 6, .waiting = waiting};
    const auto result = simulate(fleet.fleet, options);
    EXPECT_TRUE(result);
    return result ? *result : SimulationResult{};
  }

  Platform platform_;
  Profile profile_;
  PlanningTask task_;
  Plan plan_;
};

TEST_F(PlanFleets, TakeAsLongAsThePlannerSays) {
  // One request at a time: the planner's formula is exact.
  task_.connections = 1;
  const auto fleet = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(fleet) << describe(fleet.error());
  SimulationOptions options{.store = *store_model(platform_, false),
                            .iterations = 6,
                            .download_connections = 1,
                            .upload_connections = 1,
                            .waiting = Waiting::notified};
  const auto result = simulate(fleet->fleet, options);
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->seconds_of(5), fleet->prediction.iteration, 1e-9);
}

TEST_F(PlanFleets, ReplicasAndPollingStayNearThePlanner) {
  plan_.replicas = 2;
  const auto fleet = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(fleet) << describe(fleet.error());
  EXPECT_NEAR(simulated(*fleet, Waiting::notified).median_seconds() / fleet->prediction.iteration, 1, 0.05);
  EXPECT_NEAR(simulated(*fleet, Waiting::polling).median_seconds() / fleet->prediction.iteration, 1, 0.15);
}

// What replica 0 sends the others every iteration: once up, once down for each of them, before the next forwards.
TEST_F(PlanFleets, SharedStateIsPredictedAsItIsPlayed) {
  plan_.replicas = 3;
  constexpr Bytes kState = 16 * kMiB;
  const auto without = plan_fleet(task_, plan_, false);
  profile_.model.layers[5].shared_state_bytes = kState;
  const auto with = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(without && with);
  const auto before = simulated(*without, Waiting::notified), after = simulated(*with, Waiting::notified);
  EXPECT_NEAR(after.median_seconds() / with->prediction.iteration, 1, 0.05);
  EXPECT_GT(after.median_seconds(), before.median_seconds());
  const Usage played = after.bill.total(), alone = before.bill.total();
  EXPECT_EQ(played.uploaded - alone.uploaded, 6 * kState);
  EXPECT_EQ(played.downloaded - alone.downloaded, 6 * 2 * kState);
  EXPECT_EQ(played.put - alone.put, 6);
  const Usage &predicted = with->prediction.usage, &before_it = without->prediction.usage;
  const std::int64_t iterations = task_.accounting.iterations;
  EXPECT_EQ(predicted.uploaded - before_it.uploaded, iterations * kState);
  EXPECT_EQ(predicted.downloaded - before_it.downloaded, iterations * 2 * kState);
  EXPECT_GE(predicted.put - before_it.put, iterations);
  EXPECT_LT(predicted.put - before_it.put, iterations + iterations / 50) << "more restarts in a longer job";
  EXPECT_GE(predicted.get - before_it.get, iterations * 2);
}

TEST_F(PlanFleets, ASmallerLastMicroBatchTakesLess) {
  const auto even = plan_fleet(task_, plan_, false);
  plan_.global_batch = 29;
  const auto uneven = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(even && uneven);
  const Seconds less =
      simulated(*even, Waiting::notified).seconds_of(0) - simulated(*uneven, Waiting::notified).seconds_of(0);
  EXPECT_GT(less, 0);
  EXPECT_LT(less, even->prediction.iteration / 8);
}

TEST_F(PlanFleets, ThePlannerCountsASmallerLastMicroBatchAsThePartThatItIs) {
  task_.connections = 1;
  const auto iterations_of = [&] {
    const auto fleet = plan_fleet(task_, plan_, false);
    EXPECT_TRUE(fleet) << describe(fleet.error());
    SimulationOptions options{.store = *store_model(platform_, false),
                              .iterations = 6,
                              .download_connections = 1,
                              .upload_connections = 1,
                              .waiting = Waiting::notified};
    const auto result = simulate(fleet->fleet, options);
    EXPECT_TRUE(result);
    return std::pair{fleet->prediction, result->seconds_of(5)};
  };
  plan_.global_batch = 29;  // the last of 8 micro-batches has one sample in place of four
  const auto [pipeline, pipeline_played] = iterations_of();
  const StageCost& slowest = pipeline.stages[0].cost;
  EXPECT_GE(pipeline.iteration, pipeline_played * (1 - 1e-9)) << "never too little";
  EXPECT_LE(pipeline.iteration, pipeline_played + 2 * 0.75 * (slowest.forward + slowest.backward));
  plan_.stages = {{.first_layer = 0, .end_layer = 12, .memory_mb = 10240}};
  plan_.order = PipelineOrder::one_forward_one_backward;
  const auto [one, one_played] = iterations_of();
  EXPECT_NEAR(one.iteration, one_played, 1e-9);
  plan_.global_batch = 32;
  EXPECT_GT(iterations_of().first.iteration, one.iteration * 1.08);
}

TEST_F(PlanFleets, OfAnotherPlatformHaveTheSizesAndTheSpeedThatPlansHave) {
  const auto own = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(own);
  Platform faster = platform_;
  faster.name = "faster";
  faster.vcpu_speed = 2 * platform_.vcpu_speed;
  const PlanningTask there{profile_, faster};
  PlanningTask on_faster = there;
  on_faster.state = task_.state;
  const auto fast = plan_fleet(on_faster, plan_, false);
  ASSERT_TRUE(fast) << describe(fast.error());
  for (std::size_t k = 0; k < plan_.stages.size(); ++k)
    EXPECT_NEAR(fast->prediction.stages[k].busy, own->prediction.stages[k].busy / 2, 1e-9);

  const Platform cloud = *load_platform("alibaba-fc");
  PlanningTask elsewhere{profile_, cloud};
  elsewhere.global_batch = 32;
  elsewhere.replicas = {1, 2};
  const auto planning = plan_training(elsewhere);
  ASSERT_TRUE(planning) << describe(planning.error());
  for (const PlannedPoint& point : planning->frontier) {
    const auto fleet = plan_fleet(elsewhere, point.plan, false);
    ASSERT_TRUE(fleet) << describe(fleet.error());
    EXPECT_DOUBLE_EQ(fleet->prediction.iteration, point.prediction.iteration);
  }
}

TEST_F(PlanFleets, OrdersThePlannerHasNoFormulaForArePlayedToo) {
  const auto gpipe = plan_fleet(task_, plan_, false);
  plan_.order = PipelineOrder::one_forward_one_backward;
  const auto fleet = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(gpipe && fleet);
  EXPECT_FALSE(fleet->predicted);
  EXPECT_GE(simulated(*fleet, Waiting::notified).median_seconds(),
            simulated(*gpipe, Waiting::notified).median_seconds());
}

TEST_F(PlanFleets, AParameterServerIsTheStoreAndIsPaidAllTheTime) {
  plan_.stages = {{.first_layer = 0, .end_layer = 12, .memory_mb = 10240}};
  plan_.replicas = 4;
  plan_.order = PipelineOrder::one_forward_one_backward;
  plan_.sync = SyncAlgorithm::three_phase;
  const auto three_phase = plan_fleet(task_, plan_, false);
  plan_.sync = SyncAlgorithm::parameter_server;
  plan_.server = "c5.9xlarge";
  const auto fleet = plan_fleet(task_, plan_, false);
  ASSERT_TRUE(three_phase && fleet) << describe(fleet.error());
  EXPECT_TRUE(fleet->proven);
  EXPECT_FALSE(fleet->predicted);
  const Seconds alone = simulated(*three_phase, Waiting::notified).median_seconds();
  platform_ = *platform_for(plan_, platform_);
  const SimulationResult result = simulated(*fleet, Waiting::notified);
  ASSERT_EQ(result.iterations.size(), 6U);
  // Through the server twice the gradient crosses a function's link; by itself 2.5 times, and with S3's latency.
  EXPECT_LT(result.median_seconds(), alone);
  const Usage& server = result.bill.by_function.at("server c5.9xlarge");
  EXPECT_NEAR(server.rent, result.total * 1.53 / 3600, 1e-9);
  EXPECT_EQ(server.invocations, 0);
  EXPECT_EQ(result.bill.total().request_dollars(platform_.prices), 0);
}

TEST_F(PlanFleets, AParameterServerServesOneStage) {
  plan_.sync = SyncAlgorithm::parameter_server;
  plan_.server = "c5.9xlarge";
  EXPECT_THAT(describe(plan_fleet(task_, plan_, false).error()), HasSubstr("not 3 stages"));
}

TEST_F(PlanFleets, RefuseAPlanForAnotherModel) {
  plan_.fingerprint = "another";
  const auto fleet = plan_fleet(task_, plan_, false);
  ASSERT_FALSE(fleet);
  EXPECT_EQ(exit_code(fleet.error()), 2);
  EXPECT_THAT(describe(fleet.error()), AllOf(HasSubstr("another"), HasSubstr("hint")));
}

TEST_F(PlanFleets, DrawnLatenciesNeedPercentiles) {
  EXPECT_TRUE(store_model(platform_, true));
  const auto model = store_model(*load_platform("shaped-70MBps"), true);
  ASSERT_FALSE(model);
  EXPECT_THAT(describe(model.error()), AllOf(HasSubstr("shaped-70MBps"), HasSubstr("put_p99_seconds")));
}

}  // namespace
}  // namespace funcpipe
