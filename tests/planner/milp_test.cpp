#include "planner/milp.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "planner/random_chain.h"

namespace funcpipe {
namespace {

// What the solver's tolerances can hide: points that another of the same list beats by less.
constexpr double kPeriodTolerance = 2e-6, kDollarTolerance = 2e-5;

void expect_covered(const Frontier& points, const Frontier& by, const char* what) {
  for (const Candidate& point : points.points()) {
    EXPECT_LE(by.cheapest_within(point.period * (1 + kPeriodTolerance)), point.dollars * (1 + kDollarTolerance))
        << what << ": " << point.period << " s, $" << point.dollars;
  }
}

struct Instance {
  int seed, layers, options;
  bool smooth;  // like a real model; else figures with many ties, borders of size zero, layers that do not fit
  int batch;
  std::vector<int> replicas;
  CostModel cost_model = CostModel::bill;
};

class MediumInstance : public testing::TestWithParam<Instance> {};

// The whole frontier: fastest, cheapest, and everything in between, so the optimum of any weighting of the two.
TEST_P(MediumInstance, FrontierEqualsTheSolvers) {
  const Instance& instance = GetParam();
  std::mt19937_64 random(instance.seed);
  const std::vector<Chain> chains = {instance.smooth ? smooth_chain(random, instance.layers, instance.options)
                                                     : random_chain(random, instance.layers, instance.options)};
  SearchSpace space{.global_batch = instance.batch, .replicas = instance.replicas};
  space.accounting.cost_model = instance.cost_model;

  MilpStatistics statistics;
  const Frontier expected = milp_frontier(chains, space, statistics);
  space.orders = {PipelineOrder::gpipe};  // what the program formulates
  const Frontier found = optimize(chains, space);
  EXPECT_GE(expected.points().size(), 2U) << "too few to say much";
  expect_covered(expected, found, "missed");
  expect_covered(found, expected, "made up");
  RecordProperty("points", static_cast<int>(found.points().size()));
  RecordProperty("programs", statistics.solved);
  RecordProperty("most_binaries", statistics.most_binaries);
}

INSTANTIATE_TEST_SUITE_P(
    All, MediumInstance,
    testing::Values(Instance{0, 8, 3, true, 32, {1, 2, 4, 8}}, Instance{1, 9, 4, false, 32, {1, 2, 4, 8}},
                    Instance{2, 10, 5, true, 32, {1, 8}}, Instance{3, 11, 3, false, 32, {1, 4}},
                    Instance{4, 12, 4, true, 32, {4}}, Instance{5, 8, 5, false, 32, {1, 2, 4, 8}},
                    Instance{6, 9, 3, true, 32, {1, 2, 4, 8}}, Instance{7, 10, 4, false, 32, {1, 2, 4, 8}},
                    Instance{8, 11, 5, true, 16, {2, 4}}, Instance{9, 12, 3, false, 32, {1, 2, 4, 8}},
                    Instance{10, 8, 4, true, 64, {1, 2, 4, 8}, CostModel::paper},
                    Instance{11, 9, 5, false, 32, {1, 3, 7}, CostModel::paper}, Instance{12, 14, 3, true, 16, {4}},
                    Instance{13, 13, 3, false, 48, {4}, CostModel::paper}, Instance{14, 11, 3, true, 64, {8}}),
    [](const auto& instance) { return fmt::format("Seed{}", instance.param.seed); });

}  // namespace
}  // namespace funcpipe
