// TPDMP finds, for functions of one size, the contiguous partition of greatest throughput by dynamic programming
// (Tarnawski et al., "Efficient Algorithms for Device Placement of DNN Graph Operators", NeurIPS 2020). All other
// choices are tried on a grid. The throughput is that of a full pipeline; the time to fill it and the cost are not
// considered.
#pragma once

#include <optional>
#include <vector>

#include "planner/frontier_search.h"

namespace funcpipe {

// Returns the seconds that a stage is busy in an iteration, the "device load" that the partition balances. `more` is
// the number of micro-batches beyond the first.
Seconds device_load(const StageCost& stage, double more);

// Returns, for each number of stages up to `most_stages` (element stages - 1), the ends of the stages in the partition
// of `layers` layers on function size `option` whose largest device load is least; nullopt if none fits.
std::vector<std::optional<std::vector<int>>> balanced_partitions(int layers, const StageCosts& costs, int option,
                                                                 int most_stages);

// Returns the frontier over the grid of function sizes, micro-batch sizes, replicas, synchronisation algorithms and
// numbers of stages.
Frontier tpdmp(const std::vector<Chain>& chains, const SearchSpace& space);

}  // namespace funcpipe
