#include "profile/derive.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "profile/example_profile.h"

namespace funcpipe {
namespace {

TEST(RelativeSpeed, IsTheShareOfAVcpuAndThenGrowsByEfficiency) {
  EXPECT_DOUBLE_EQ(relative_speed(0.25, 0.8), 0.25);
  EXPECT_DOUBLE_EQ(relative_speed(1, 0.8), 1);
  EXPECT_DOUBLE_EQ(relative_speed(1.7, 0.8), 1);  // one thread
  EXPECT_DOUBLE_EQ(relative_speed(2, 0.8), 1.8);
  EXPECT_DOUBLE_EQ(relative_speed(5.79, 0.8), 1 + 4 * 0.8);
  EXPECT_DOUBLE_EQ(relative_speed(5.79, 0.8, 1), 1);
  EXPECT_DOUBLE_EQ(relative_speed(1.5, 0.8, 2), 1.5);  // two threads, held to their quota
}

TEST(DeriveOptions, ScalesTimesAndKeepsOrder) {
  Profile profile = example_profile();
  derive_options(profile, 1, {{512, 0.25, 1}, {5307, 3, 0}, {3538, 2, 1}});
  ASSERT_EQ(profile.options.size(), 4U);  // 3538 MB was there
  EXPECT_EQ(profile.options[0].memory_mb, 512);
  EXPECT_EQ(profile.options[0].origin, Origin::derived);
  EXPECT_EQ(profile.options[1].origin, Origin::measured);
  EXPECT_EQ(profile.options[3].threads, 3);
  const auto& times = profile.micro_batches[0].times;
  EXPECT_DOUBLE_EQ(times[0][0].forward, 0.1 / 0.25);
  EXPECT_DOUBLE_EQ(times[0][0].backward_spread, 0.01 / 0.25);
  EXPECT_DOUBLE_EQ(times[1][0].forward, 0.2);  // measured, untouched
  EXPECT_DOUBLE_EQ(times[3][0].forward, 0.1 / (1 + 2 * 0.8));
  EXPECT_DOUBLE_EQ(profile.options[0].cold_start, 4);
  EXPECT_DOUBLE_EQ(profile.options[3].cold_start, 1);
  EXPECT_DOUBLE_EQ(profile.options[0].update_per_byte, 8e-10);
  EXPECT_DOUBLE_EQ(profile.options[0].transfer_cpu_per_byte, 2e-10);
}

TEST(DeriveOptions, TakesALayerThatDoesNotFitFromAnotherMeasuredOption) {
  Profile profile = example_profile();
  derive_options(profile, 0, {{2048, 1, 1}, {8192, 4, 1}});
  const auto& times = profile.micro_batches[1].times;
  ASSERT_EQ(profile.options[1].memory_mb, 2048);
  EXPECT_FALSE(times[1][1].fits);  // did not fit 1024 MB, and 3538 MB says nothing of 2048 MB
  ASSERT_EQ(profile.options[3].memory_mb, 8192);
  EXPECT_TRUE(times[3][1].fits);
  EXPECT_DOUBLE_EQ(times[3][1].forward, 2.5);
  EXPECT_DOUBLE_EQ(times[3][0].forward, 0.25);
}

Platform cloud_with(std::vector<FunctionSize> sizes, double vcpu_speed) {
  Platform platform;
  platform.name = "another cloud";
  platform.sizes = std::move(sizes);
  platform.vcpu_speed = vcpu_speed;
  return platform;
}

TEST(AdaptTo, GivesAnotherPlatformsSizesFromTheLargestMeasured) {
  Profile profile = example_profile();  // measured at 0.5 of the machine's core
  const Adaptation made = adapt_to(profile, cloud_with({{2048, 0.5}, {2048, 1}, {8192, 2}}, 0.25));
  ASSERT_TRUE(made.derived_from);
  EXPECT_EQ(made.derived_from->memory_mb, 3538);
  EXPECT_EQ(made.measured_for, "aws-lambda");
  EXPECT_DOUBLE_EQ(made.slower, 2);
  ASSERT_EQ(profile.options.size(), 5U);
  EXPECT_EQ(profile.options[1].memory_mb, 2048);
  EXPECT_DOUBLE_EQ(profile.options[1].vcpus, 0.5);
  EXPECT_EQ(profile.options[1].origin, Origin::derived);
  const auto& times = profile.micro_batches[0].times;
  EXPECT_DOUBLE_EQ(times[1][0].forward, 2 * 0.1 / 0.5) << "half a vCPU, of half the speed";
  EXPECT_DOUBLE_EQ(times[2][0].forward, 2 * 0.1);
  EXPECT_DOUBLE_EQ(times[4][0].forward, 2 * 0.1) << "how two threads share a layer was not measured";
  EXPECT_EQ(profile.options[4].threads, 1);
  EXPECT_DOUBLE_EQ(profile.options[1].cold_start, 2 * 1 / 0.5);
  EXPECT_DOUBLE_EQ(profile.options[1].update_per_byte, 2 * 2e-10 / 0.5);
  EXPECT_DOUBLE_EQ(profile.options[1].transfer_cpu_per_byte, 2 * 2e-10);
}

TEST(AdaptTo, FollowsTheProfilesThreads) {
  Profile profile = example_profile();
  derive_options(profile, 1, {{5307, 3, 0}});
  ASSERT_TRUE(adapt_to(profile, cloud_with({{8192, 4}}, 0.5)).derived_from);
  EXPECT_EQ(profile.options.back().threads, 4);
  EXPECT_DOUBLE_EQ(profile.micro_batches[0].times.back()[0].forward, 0.1 / (1 + 3 * 0.8));
}

TEST(AdaptTo, ScalesTheSizesThatBothPlatformsHave) {
  Profile profile = example_profile();
  const Adaptation made = adapt_to(profile, cloud_with({{1024, 0.5}, {8192, 4}}, 0.25));
  EXPECT_FALSE(made.derived_from);
  EXPECT_DOUBLE_EQ(made.slower, 2);
  ASSERT_EQ(profile.options.size(), 2U);
  const LayerTime& time = profile.micro_batches[0].times[0][1];
  EXPECT_DOUBLE_EQ(time.forward, 2 * 2);
  EXPECT_DOUBLE_EQ(time.backward, 2 * 4);
  EXPECT_DOUBLE_EQ(time.backward_spread, 2 * 0.2);
  EXPECT_DOUBLE_EQ(profile.options[0].cold_start, 2 * 2);
  EXPECT_DOUBLE_EQ(profile.options[0].update_per_byte, 2 * 4e-10);
  EXPECT_DOUBLE_EQ(profile.options[0].transfer_cpu_per_byte, 2 * 2e-10);
  EXPECT_DOUBLE_EQ(profile.options[0].transfer_cpu_per_request, 2 * 1e-4);
  EXPECT_DOUBLE_EQ(profile.vcpu_speed, 0.25);
}

TEST(AdaptTo, IsDoneOnce) {
  const Platform cloud = cloud_with({{1024, 0.5}, {3538, 2}}, 0.25);
  Profile profile = example_profile();
  EXPECT_FALSE(is_adapted_to(profile, cloud));
  adapt_to(profile, cloud);
  EXPECT_TRUE(is_adapted_to(profile, cloud));
  const std::string once = to_json(profile).dump();
  EXPECT_DOUBLE_EQ(adapt_to(profile, cloud).slower, 1);
  EXPECT_EQ(to_json(profile).dump(), once);
}

TEST(AdaptTo, FollowsAPlatformsFileThatHasChanged) {
  Platform cloud = cloud_with({{1024, 0.5}, {3538, 2}}, 0.25);
  cloud.name = "aws-lambda";  // as the profile's
  Profile profile = example_profile();
  adapt_to(profile, cloud);
  EXPECT_DOUBLE_EQ(profile.micro_batches[0].times[0][0].forward, 2 * 0.2);
  Profile given = example_profile();
  given.vcpu_speed_given = true;
  adapt_to(given, cloud);
  EXPECT_DOUBLE_EQ(given.micro_batches[0].times[0][0].forward, 0.2) << "whoever profiled knows better";
  adapt_to(given, cloud_with({{1024, 0.5}}, 0.25));
  EXPECT_DOUBLE_EQ(given.micro_batches[0].times[0][0].forward, 2 * 0.2) << "but only of that platform";
}

TEST(AdaptTo, GivesEveryThreadAVcpuWhereNothingHoldsFunctionsToTheirShare) {
  Platform machine = cloud_with({{1024, 0.5}, {3538, 2}}, 0.5);
  machine.limit_cpu = false;
  Profile profile = example_profile();
  adapt_to(profile, machine);
  const auto& times = profile.micro_batches[0].times;
  EXPECT_DOUBLE_EQ(times[0][0].forward, 0.2 * 0.5) << "one thread on a whole vCPU in place of half of one";
  EXPECT_DOUBLE_EQ(times[1][0].forward, 0.1) << "one thread had one already";
  EXPECT_DOUBLE_EQ(profile.options[0].cold_start, 2 * 0.5);

  Profile derived = example_profile();
  machine.sizes = {{512, 0.25}};
  ASSERT_TRUE(adapt_to(derived, machine).derived_from);
  EXPECT_DOUBLE_EQ(derived.micro_batches[0].times[0][0].forward, 0.1);

  // And back: what `local` measured at full speed takes longer in a share of a vCPU.
  Profile local = example_profile();
  local.platform = "local";
  adapt_to(local, cloud_with({{1024, 0.5}, {3538, 2}}, 0.5));
  EXPECT_DOUBLE_EQ(local.micro_batches[0].times[0][0].forward, 0.2 / 0.5);
  EXPECT_DOUBLE_EQ(local.micro_batches[0].times[1][0].forward, 0.1);
}

}  // namespace
}  // namespace funcpipe
