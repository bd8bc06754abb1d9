// The exact search of one configuration: micro-batch size, replicas and synchronisation given; cuts and function sizes
// wanted.
#pragma once

#include <functional>
#include <stop_token>

#include "planner/frontier_search.h"
#include "planner/spans.h"

namespace funcpipe {

// Adds to `frontier` every plan of `candidate`'s configuration that belongs there, in gpipe order; `candidate` has no
// stages. `report` is told the share of the work that is done. A stop leaves the frontier incomplete. With `slack` it
// may leave out plans: each of them is then at most that share faster and at most that share cheaper than some plan
// that is there.
void search(const Chain& chain, const SpanTable& spans, const Candidate& candidate, const SearchSpace& space,
            Frontier& frontier, SearchStatistics& statistics, const std::stop_token& stop,
            const std::function<void(double)>& report, double slack = 0);

}  // namespace funcpipe
