// TPDMP: the contiguous partition of greatest throughput for functions of one size, by dynamic programming (Tarnawski
// et al., "Efficient Algorithms for Device Placement of DNN Graph Operators", NeurIPS 2020), with the rest found by a
// grid. Throughput is that of a full pipeline: it sees neither the fill nor what a plan costs.
#pragma once

#include <optional>
#include <vector>

#include "planner/frontier_search.h"

namespace funcpipe {

// What a stage is busy for in each iteration: the device load that the partition balances. `more`: micro-batches beyond
// the first.
Seconds device_load(const StageCost& stage, double more);

// The ends of the partition into `stages` stages on `option` whose largest device load is least, for each number of
// stages up to `most_stages` ([stages - 1]; nullopt: does not fit). Uses costs of spans up to `layers`.
std::vector<std::optional<std::vector<int>>> balanced_partitions(int layers, const StageCosts& costs, int option,
                                                                 int most_stages);

// Over the grid of function sizes, micro-batch sizes, replicas, synchronisation and numbers of stages.
Frontier tpdmp(const std::vector<Chain>& chains, const SearchSpace& space);

}  // namespace funcpipe
