// Searches plans by Bayesian optimisation over cuts, function sizes, replicas, micro-batch size and synchronisation: a
// Gaussian process is fitted to the plans tried so far, and of many random plans the one with the largest expected
// improvement is tried next.
#pragma once

#include <cstdint>
#include <vector>

#include "planner/frontier_search.h"

namespace funcpipe {

struct BayesianSearch {
  int trials = 100;
  int random_trials = 20;  // The first ones of them, whose plans are drawn at random.
  std::uint64_t seed = 1;
  int most_stages = 8;
  // The search minimises cost_weight * dollars + time_weight * seconds of an iteration.
  double cost_weight = 1, time_weight = 0;
};

// Returns the frontier of all feasible plans that it tried. The same seed gives the same result.
Frontier bayesian(const std::vector<Chain>& chains, const SearchSpace& space, const BayesianSearch& search);

}  // namespace funcpipe
