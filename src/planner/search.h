// Searches one configuration exactly: micro-batch size, replicas and synchronisation are given, cuts and function sizes
// are to be found.
#pragma once

#include <functional>
#include <stop_token>

#include "planner/frontier_search.h"
#include "planner/spans.h"

namespace funcpipe {

// Adds to `frontier` every plan in gpipe order of `candidate`'s configuration that belongs there. `candidate` has no
// stages. Calls `report` with the share of the work that is done. A stop leaves the frontier incomplete. With `slack` >
// 0 it may leave out a plan if some plan on the frontier is at most that share slower and at most that share dearer.
void search(const Chain& chain, const SpanTable& spans, const Candidate& candidate, const SearchSpace& space,
            Frontier& frontier, SearchStatistics& statistics, const std::stop_token& stop,
            const std::function<void(double)>& report, double slack = 0);

}  // namespace funcpipe
