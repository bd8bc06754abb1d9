#include "worker/lr_schedule.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

TEST(LearningRate, IsConstantByDefault) {
  const JobConfig config;
  EXPECT_EQ(learning_rate(config.optimizer, config.lr_scheduler, 0, 100), 0.01);
  EXPECT_EQ(learning_rate(config.optimizer, config.lr_scheduler, 99, 100), 0.01);
}

TEST(LearningRate, WarmsUpInEqualSteps) {
  JobConfig config;
  config.optimizer.lr = 1;
  config.lr_scheduler.warmup_steps = 3;
  const auto rate = [&](std::int64_t step) { return learning_rate(config.optimizer, config.lr_scheduler, step, 10); };
  EXPECT_DOUBLE_EQ(rate(0), 0.25);
  EXPECT_DOUBLE_EQ(rate(1), 0.5);
  EXPECT_DOUBLE_EQ(rate(2), 0.75);
  EXPECT_DOUBLE_EQ(rate(3), 1);
  EXPECT_DOUBLE_EQ(rate(9), 1);
}

TEST(LearningRate, FollowsHalfACosine) {
  JobConfig config;
  config.optimizer.lr = 2;
  config.lr_scheduler.name = "cosine";
  config.lr_scheduler.warmup_steps = 2;
  config.lr_scheduler.min_lr_factor = 0.1;
  const auto rate = [&](std::int64_t step) { return learning_rate(config.optimizer, config.lr_scheduler, step, 12); };
  EXPECT_DOUBLE_EQ(rate(2), 2);
  EXPECT_NEAR(rate(7), 2 * 0.55, 1e-12);  // half of the way
  EXPECT_NEAR(rate(12), 0.2, 1e-12);
  EXPECT_NEAR(rate(50), 0.2, 1e-12);
  for (std::int64_t step = 3; step < 12; ++step) EXPECT_LT(rate(step), rate(step - 1));
}

TEST(LearningRate, StandsWarmUpLongerThanTheJob) {
  JobConfig config;
  config.lr_scheduler.name = "cosine";
  config.lr_scheduler.warmup_steps = 100;
  EXPECT_GT(learning_rate(config.optimizer, config.lr_scheduler, 4, 5), 0);
}

}  // namespace
}  // namespace funcpipe
