// Bayesian optimisation over cuts, function sizes, replicas, micro-batch size and synchronisation: a Gaussian process
// is fitted to the plans tried so far, and the plan that promises the most improvement is tried next.
#pragma once

#include <cstdint>
#include <vector>

#include "planner/frontier_search.h"

namespace funcpipe {

struct BayesianSearch {
  int trials = 100;
  int random_trials = 20;  // of these, to begin with
  std::uint64_t seed = 1;
  int most_stages = 8;
  // What is minimised: cost_weight * dollars + time_weight * seconds, of an iteration.
  double cost_weight = 1, time_weight = 0;
};

// All feasible plans it tried that none of the others beats. The same seed finds the same.
Frontier bayesian(const std::vector<Chain>& chains, const SearchSpace& space, const BayesianSearch& search);

}  // namespace funcpipe
