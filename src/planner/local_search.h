// Better plans near those that are known, soon found: what a search within a time starts from. Proves nothing.
#pragma once

#include <stop_token>
#include <vector>

#include "planner/frontier.h"
#include "planner/optimizer.h"
#include "planner/spans.h"

namespace funcpipe {

// All that `space` has to search, as candidates without stages: micro-batch size, replicas, synchronisation.
std::vector<Candidate> configurations_of(const std::vector<Chain>& chains, const SearchSpace& space);

// Adds to `frontier` what one change of one of its plans gives, until nothing more comes of it: a cut moved to anywhere
// between its neighbours, another function size, a stage split or two joined, or another one of `configurations`.
// `spans`: of `chains`, which all have the same layers. A stop is heard between two plans.
void improve(Frontier& frontier, const std::vector<Chain>& chains, const std::vector<SpanTable>& spans,
             const std::vector<Candidate>& configurations, const SearchSpace& space, const std::stop_token& stop);

}  // namespace funcpipe
