// What is known of lifetimes' ends before a job starts, and what is refused then.
#include "job/lifetimes.h"

#include <gmock/gmock.h>

#include <limits>

#include "job/four_layers.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Two stages: three layers of 1 MiB and one; Adam's state is two more of each.
JobSpec two_stages() {
  JobSpec spec;
  spec.config = job();
  spec.model = four_layers();
  spec.plan.stages = {{.first_layer = 0, .end_layer = 3, .memory_mb = 1024},
                      {.first_layer = 3, .end_layer = 4, .memory_mb = 1024}};
  spec.state.optimizer_copies = 2;
  return spec;
}

TEST(Lifetimes, TheLongestReplacementIsForetold) {
  Platform platform = small_platform();
  platform.latency = {.put = 0.25, .get = 0.5};
  platform.limits.lifetime = 900;
  JobSpec spec = two_stages();
  const auto refused = foresee_lifetimes(spec, platform, 0);
  ASSERT_TRUE(refused) << describe(refused.error());
  const double bytes = 3.0 * 3 * kMiB;
  EXPECT_NEAR(spec.hand_over.save, 0.25 + bytes / 1e8 + packing_seconds(bytes, 0), 1e-9);
  EXPECT_GT(spec.hand_over.load, 3 * 0.5 + bytes / 1e8);
  spec.model.layers[1].buffer_bytes = 100'000'000;
  EXPECT_NEAR(foretold_hand_over(spec, platform).save, 0.25 + (bytes + 1e8) / 1e8 + packing_seconds(bytes + 1e8, 0),
              1e-9);
  platform.store.upload = 2e6;  // of both workers together, which may save at once
  EXPECT_GT(foretold_hand_over(spec, platform).save, (bytes + 1e8) / 1e6);
  spec.model.parameters[0].trainable = false;
  EXPECT_LT(foretold_hand_over(spec, platform).save, (bytes + 1e8) / 1e6);
}

TEST(Lifetimes, ThatCannotBeAreRefused) {
  Platform platform = small_platform();
  const auto expect_refused = [&](Seconds lifetime, Seconds iteration, const std::vector<std::string>& said) {
    platform.limits.lifetime = lifetime;
    JobSpec spec = two_stages();
    spec.config.given["platform.lifetime"] = "job.toml:7:1";
    const auto refused = foresee_lifetimes(spec, platform, iteration);
    ASSERT_FALSE(refused) << lifetime;
    EXPECT_EQ(refused.error().code, ErrorCode::invalid_input);
    EXPECT_EQ(refused.error().place, "job.toml:7:1");
    for (const std::string& text : said) EXPECT_THAT(describe(refused.error()), HasSubstr(text));
  };
  expect_refused(1.5, 0, {"whole number of seconds, not 1.5", "set it to 2"});
  expect_refused(1, 0, {"too short", "for a snapshot", "raise the lifetime"});
  expect_refused(900, 899, {"too short", "for one iteration"});
  platform.limits.lifetime = 900;
  JobSpec spec = two_stages();
  EXPECT_TRUE(foresee_lifetimes(spec, platform, 600));
}

}  // namespace
}  // namespace funcpipe
