#include "planner/rivals/bayesian.h"

#include <gtest/gtest.h>

#include <cmath>

#include "planner/random_chain.h"
#include "planner/rivals/gaussian_process.h"

namespace funcpipe {
namespace {

TEST(GaussianProcess, ExpectsMostWhereLowAndUnseen) {
  Eigen::MatrixXd points(5, 1);
  points << 0, 1, 2, 3, 4;
  Eigen::VectorXd values(5);
  values << 4, 1, 0.2, 1.5, 4;
  const GaussianProcess process(points, values);
  const auto at = [&](double x) { return process.expected_improvement(Eigen::VectorXd::Constant(1, x)); };
  EXPECT_GT(at(1.7), at(2)) << "nothing is to be gained where one has been";
  EXPECT_GT(at(1.7), at(0.3)) << "nor where neighbours are high";
  EXPECT_GT(at(1.7), at(3.6));
  for (const double x : {0.0, 0.5, 1.7, 2.0, 9.0}) EXPECT_GE(at(x), 0);
}

TEST(GaussianProcess, AllAlikeIsNoTrouble) {
  const GaussianProcess process(Eigen::MatrixXd::Ones(4, 3), Eigen::VectorXd::Constant(4, 7));
  EXPECT_TRUE(std::isfinite(process.expected_improvement(Eigen::VectorXd::Ones(3))));
}

SearchSpace space_of(int batch) {
  SearchSpace space{.global_batch = batch};
  for (int replicas = 1; replicas <= 16; ++replicas) space.replicas.push_back(replicas);
  return space;
}

TEST(Bayesian, SameSeedFindsTheSame) {
  std::mt19937_64 random(3);
  const std::vector<Chain> chains = {smooth_chain(random, 20, 6)};
  const BayesianSearch search{.trials = 40, .seed = 5};
  const Frontier first = bayesian(chains, space_of(64), search);
  EXPECT_FALSE(first.points().empty());
  EXPECT_EQ(first.points(), bayesian(chains, space_of(64), search).points());
}

TEST(Bayesian, FindsCheaperPlansThanAsManyRandomOnes) {
  double gain = 0;
  constexpr int kSeeds = 8;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    std::mt19937_64 random(seed);
    const std::vector<Chain> chains = {smooth_chain(random, 20, 6)};
    const auto cheapest = [&](int random_trials) {
      const Frontier found =
          bayesian(chains, space_of(64), {.trials = 60, .random_trials = random_trials, .seed = seed + 1});
      return found.points().empty() ? kInfinity : found.points().back().dollars;
    };
    gain += std::log(cheapest(60) / cheapest(15)) / kSeeds;
  }
  EXPECT_GT(gain, 0.1);
}

}  // namespace
}  // namespace funcpipe
