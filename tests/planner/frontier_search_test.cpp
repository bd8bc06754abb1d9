#include "planner/frontier_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stop_token>

#include "planner/brute_force.h"
#include "planner/random_chain.h"
#include "planner/search.h"

namespace funcpipe {
namespace {

// Every point of one is matched, to rounding, by a point of the other.
void expect_equal(const Frontier& found, const Frontier& expected) {
  const auto covers = [](const Frontier& all, const Candidate& point) {
    return all.cheapest_within(point.period * (1 + 1e-9)) <= point.dollars * (1 + 1e-9);
  };
  for (const Candidate& point : expected.points())
    EXPECT_TRUE(covers(found, point)) << "missed " << point.period << " s, $" << point.dollars;
  for (const Candidate& point : found.points())
    EXPECT_TRUE(covers(expected, point)) << "made up " << point.period << " s, $" << point.dollars;
}

SearchSpace random_space(std::mt19937_64& random) {
  SearchSpace space;
  space.global_batch = 4 * std::uniform_int_distribution<int>(1, 12)(random);
  space.replicas = {1, 2, 3, 4};
  if (random() % 4 == 0) space.accounting.cost_model = CostModel::paper;
  space.accounting.iterations = random() % 2 == 0 ? 1000 : 3;
  return space;
}

TEST(Optimizer, FrontierEqualsBruteForcePointByPoint) {
  int empty = 0;
  double points = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    // Mostly small: the number of plans grows as (1 + options)^layers.
    const int options = 1 + static_cast<int>(random() % 4);
    const int longest = options == 1 ? 9 : options == 2 ? 7 : options == 3 ? 6 : 5;
    const int layers = seed % 200 == 0 ? 9 : 1 + static_cast<int>(random() % longest);
    std::vector<Chain> chains = {random_chain(random, layers, seed % 200 == 0 ? 2 : options)};
    if (random() % 4 == 0) {
      chains.push_back(random_chain(random, std::min(layers, 4), options));
      chains.back().micro_batch = 8;
    }
    const SearchSpace space = random_space(random);
    const Frontier expected = brute_force(chains, space);
    expect_equal(optimize(chains, space), expected);
    if (HasFailure()) return;
    empty += expected.points().empty();
    points += static_cast<double>(expected.points().size());
  }
  EXPECT_LT(empty, 1000) << "too many instances where nothing fits";
  EXPECT_GT(points / 2000, 3) << "frontiers too short to say much";
}

TEST(Optimizer, RoundsWithinATimeEndExact) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::vector<Chain> chains = {random_chain(random, 1 + static_cast<int>(random() % 5), 3)};
    const SearchSpace space = random_space(random);
    Proof proof{.gap = 1, .open = 1};
    const Frontier found = optimize_within(chains, space, {}, proof);
    expect_equal(found, brute_force(chains, space));
    EXPECT_TRUE(proof.exact());
    EXPECT_EQ(proof.gap, 0);
    if (HasFailure()) return;
  }
}

TEST(Optimizer, WhatSlackLeavesOutIsHardlyBetter) {
  constexpr double kSlack = 0.2;
  std::int64_t fewer = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const std::vector<Chain> chains = {random_chain(random, 2 + static_cast<int>(random() % 4), 3)};
    const SpanTable spans(chains.front());
    SearchSpace space = random_space(random);
    space.orders = {PipelineOrder::gpipe};
    Frontier found, exact;
    SearchStatistics with, without;
    for (const int replicas : {1, 2}) {
      if (replicas > space.micro_batches_of(chains.front())) continue;
      const Candidate candidate{.configuration =
                                    space.configuration_of(chains.front(), replicas, SyncAlgorithm::pipelined)};
      search(
          chains.front(), spans, candidate, space, found, with, {}, [](double) {}, kSlack);
      search(chains.front(), spans, candidate, space, exact, without, {}, [](double) {});
    }
    fewer += without.kept - with.kept;
    for (const Candidate& point : exact.points())
      EXPECT_LE(found.cheapest_within(point.period * (1 + kSlack) * (1 + 1e-9)),
                point.dollars * (1 + kSlack) * (1 + 1e-9));
    for (const Candidate& point : found.points())
      EXPECT_LE(exact.cheapest_within(point.period * (1 + 1e-9)), point.dollars * (1 + 1e-9)) << "a plan of its own";
    if (HasFailure()) return;
  }
  EXPECT_GT(fewer, 0) << "slack saved no work";
}

TEST(Optimizer, WithoutTimeSaysWhatIsOpen) {
  std::mt19937_64 random(3);
  const std::vector<Chain> chains = {smooth_chain(random, 60, 8)};
  const SearchSpace space{.global_batch = 64, .replicas = {1, 2, 4}};
  Proof proof;
  optimize_within(chains, space, {.limit = 0}, proof);
  EXPECT_FALSE(proof.exact());
  EXPECT_EQ(proof.gap, kInfinity);
  EXPECT_EQ(proof.open, 5);
  EXPECT_EQ(proof.all, 5);
  EXPECT_EQ(proof.open_replicas, (std::vector<int>{1, 2, 4}));
}

// A chain like AmoebaNet: cells of three layers that repeat, small against a function.
Chain long_chain(int layers) {
  std::mt19937_64 random(1);
  Chain chain = smooth_chain(random, layers, 8);
  for (int i = 3; i < layers; ++i) {
    chain.layers[i] = chain.layers[i - 3];
    chain.layers[i].reads_input = false;
    for (auto* seconds : {&chain.forward, &chain.backward})
      for (auto& of_option : *seconds) of_option[i] = of_option[i - 3];
  }
  chain.layers.back().reads_target = true;
  return chain;
}

TEST(Optimizer, AStopIsHeardInsideAConfiguration) {
  const std::vector<Chain> chains = {long_chain(400)};
  // One configuration only, which takes seconds.
  const SearchSpace space{.global_batch = 256, .replicas = {2}, .syncs = {SyncAlgorithm::pipelined}};
  std::stop_source stop;
  SearchProgress latest;
  int reports_since = 0;
  optimize(chains, space, nullptr, stop.get_token(), [&](const SearchProgress& progress) {
    if (stop.stop_requested() && progress.share > 0) ++reports_since;
    latest = progress;
    if (progress.share > 0) stop.request_stop();
  });
  EXPECT_TRUE(stop.stop_requested()) << "nothing was said from inside the configuration";
  EXPECT_LE(reports_since, 1) << "went on with band after band";
}

TEST(Optimizer, ProgressGoesFromNothingToEverythingAndNeverBack) {
  std::mt19937_64 random(2);
  const std::vector<Chain> chains = {smooth_chain(random, 40, 8)};
  const SearchSpace space{.global_batch = 64, .replicas = {1, 2, 4}};
  std::vector<double> shares;
  SearchProgress last;
  optimize(chains, space, nullptr, {}, [&](const SearchProgress& progress) {
    EXPECT_LE(progress.share, 1);
    shares.push_back(progress.done + progress.share);
    last = progress;
  });
  ASSERT_FALSE(shares.empty());
  EXPECT_EQ(shares.front(), 0);
  EXPECT_TRUE(std::is_sorted(shares.begin(), shares.end()));
  EXPECT_EQ(last.all, 5);  // two algorithms for 2 and for 4 replicas
  EXPECT_EQ(last.done, last.all);
}

}  // namespace
}  // namespace funcpipe
