#include "job/recovery_policy.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "job/four_layers.h"
#include "job/lifetimes.h"

namespace funcpipe {
namespace {

JobSpec spec_of(int stages, int replicas) {
  JobSpec spec;
  spec.config = job();
  spec.model = four_layers();
  spec.plan = *even_plan(spec.model, stages, replicas, 32, 8);
  for (StagePlan& stage : spec.plan.stages) stage.memory_mb = 1024;
  return spec;
}

TEST(RecoveryPolicy, SavesAsOftenAsPaysAndNotLessThanAsked) {
  JobSpec spec = spec_of(2, 2);
  spec.config.checkpoint.period = 1e5;
  spec.config.training.wait_limit = 1e6;
  const Platform platform = small_platform();
  const Seconds paying = recovery_policy(spec, platform, std::nullopt).period;
  const Seconds cost = 0.1 + foretold_hand_over(spec, platform).save + 4 * platform.latency.get;
  EXPECT_NEAR(paying, std::sqrt(2 * cost * 360000 / 4), 1e-6 * paying);
  EXPECT_EQ(recovery_policy(spec, platform, std::nullopt).iterations, 0);
  spec.config.checkpoint.period = 30;
  EXPECT_EQ(recovery_policy(spec, platform, std::nullopt).period, 30);
  spec.config.checkpoint.period = 0.5;
  EXPECT_NEAR(recovery_policy(spec, platform, std::nullopt).period, 20 * cost, 1e-9)
      << "the default costs at most a twentieth";
  spec.config.given["checkpoint.period"] = "job.toml:9";
  EXPECT_EQ(recovery_policy(spec, platform, std::nullopt).period, 0.5) << "what the user asks for holds";
  spec.config.checkpoint.interval = 7;
  EXPECT_EQ(recovery_policy(spec, platform, std::nullopt).iterations, 7);
  EXPECT_EQ(recovery_policy(spec, platform, std::nullopt).period, 0) << "the user has said when";
  spec.config.checkpoint = {.interval = 0, .period = 0};
  EXPECT_FALSE(recovery_policy(spec, platform, std::nullopt).enabled());
}

TEST(RecoveryPolicy, KeepsWhatFitsTheRoom) {
  const JobSpec spec = spec_of(2, 2);
  const Published published = published_in_an_iteration(spec);
  EXPECT_GT(published.bytes, 0);
  EXPECT_GE(published.objects, 8) << "four activations and four gradients, and what is summed";
  const auto iterations = [&](double times) {
    const double each = published.bytes + 4096 * published.objects;
    const double snapshots = 3 * 2 * all_snapshot_bytes(spec);
    return recovery_policy(spec, small_platform(), static_cast<Bytes>(snapshots + times * each)).iterations;
  };
  EXPECT_NEAR(static_cast<double>(iterations(300)), 100, 1) << "objects of three intervals are kept";
  EXPECT_EQ(iterations(0.1), 1);
}

// The others wait while a worker is replayed, and must not give up.
TEST(RecoveryPolicy, LeavesThoseWhoWaitHalfTheirPatience) {
  JobSpec spec = spec_of(2, 2);
  const Platform platform = small_platform();
  spec.config.training.wait_limit = 40;
  const Seconds load = foretold_hand_over(spec, platform).load;
  JobSpec::Recovery recovery = recovery_policy(spec, platform, std::nullopt);
  EXPECT_NEAR(recovery.period, 20 - kAssumedColdStart - load, 1e-9);
  EXPECT_EQ(patience_with(recovery, spec, platform), 40);
  recovery.period = 600;  // of a stage that takes half a minute to save
  EXPECT_NEAR(patience_with(recovery, spec, platform), 2 * (600 + kAssumedColdStart + load), 1e-9);
  spec.config.given["training.wait_limit"] = "job.toml:3";
  EXPECT_EQ(patience_with(recovery, spec, platform), 40) << "what the user asks for holds";
}

TEST(RecoveryPolicy, IsNoneWithAParameterServer) {
  JobSpec spec = spec_of(1, 2);
  spec.plan.sync = SyncAlgorithm::parameter_server;
  spec.plan.server = "c5.9xlarge";
  EXPECT_FALSE(recovery_policy(spec, small_platform(), std::nullopt).enabled());
}

TEST(RecoveryPolicy, AsksTheDiskOfTheFolderThatWillBe) {
  const auto there = std::filesystem::temp_directory_path();
  EXPECT_GT(room_on_disk(there.string()), 0);
  EXPECT_GT(room_on_disk((there / "none" / "yet").string()), 0);
}

}  // namespace
}  // namespace funcpipe
