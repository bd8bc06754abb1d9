#include "planner/rivals/data_parallel.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

constexpr Accounting kComputingOnly{.cost_model = CostModel::paper};

// One layer: 1 s forward, 2 s backward, a gradient of 100 MB over 50 MB/s; a dollar an hour and nothing else.
Chain plain_chain() {
  Chain chain;
  chain.micro_batch = 4;
  chain.layers.push_back({.parameters = 100e6, .trainable = 100e6, .activations = 200 * kMiB});
  chain.options.push_back({.memory_mb = 1024, .vcpus = 1, .uplink = 50e6, .downlink = 50e6, .per_second = 1.0 / 3600});
  chain.forward = {{1}};
  chain.backward = {{2}};
  chain.warm_up = {{0}};
  chain.limits.lifetime = kInfinity;
  return chain;
}

TEST(DataParallel, LambdaMlTakesItsFormula) {
  const SearchSpace space{.global_batch = 16, .replicas = {1, 2, 4}, .accounting = kComputingOnly};
  const Frontier frontier = lambda_ml({plain_chain()}, space, LocalBatch::whole);
  ASSERT_EQ(frontier.points().size(), 1U) << "a share of one micro-batch needs four functions";
  const double bytes_over_rate = 2, replicas = 4;
  EXPECT_DOUBLE_EQ(frontier.points()[0].period, 3 + 3 * bytes_over_rate - 2 * bytes_over_rate / replicas);
  EXPECT_NEAR(frontier.points()[0].dollars, frontier.points()[0].period * replicas / 3600, 1e-12);
}

TEST(DataParallel, AccumulationHoldsOneMicroBatch) {
  const SearchSpace space{.global_batch = 64, .replicas = {1, 2}};
  EXPECT_TRUE(lambda_ml({plain_chain()}, space, LocalBatch::whole).points().empty());
  const Frontier frontier = lambda_ml({plain_chain()}, space, LocalBatch::accumulated);
  ASSERT_EQ(frontier.points().size(), 2U) << "16 micro-batches of 200 MiB on 1024 MB, one after the other";
  EXPECT_DOUBLE_EQ(frontier.points()[0].period, 8 * 3 + 3 * 2 - 2);
  EXPECT_DOUBLE_EQ(frontier.points()[1].period, 16 * 3);
}

TEST(DataParallel, ServerServesOneFunctionAtTheFunctionsRateAndManyAtItsOwn) {
  const ParameterServer server{.bandwidth = 100e6, .per_second = 10.0 / 3600};
  SearchSpace space{.global_batch = 4, .replicas = {1}, .accounting = kComputingOnly};
  const Frontier one = hybrid_ps({plain_chain()}, space, LocalBatch::whole, server);
  ASSERT_EQ(one.points().size(), 1U);
  EXPECT_DOUBLE_EQ(one.points()[0].period, 3 + 2 * 2);
  EXPECT_NEAR(one.points()[0].dollars, 7 * 11.0 / 3600, 1e-12);

  space = {.global_batch = 32, .replicas = {8}, .accounting = kComputingOnly};
  const Frontier eight = hybrid_ps({plain_chain()}, space, LocalBatch::whole, server);
  ASSERT_EQ(eight.points().size(), 1U);
  EXPECT_DOUBLE_EQ(eight.points()[0].period, 3 + 2 * 8);
  EXPECT_NEAR(eight.points()[0].dollars, 19 * 18.0 / 3600, 1e-12);
}

}  // namespace
}  // namespace funcpipe
