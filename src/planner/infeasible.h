// Why a search found no plan at all, for the person who asked.
#pragma once

#include <vector>

#include "planner/planner.h"

namespace funcpipe {

// Of a task none of whose plans fits: the layer that lacks most memory where things are best for it, how much, and
// what would hold it; or how many functions would be needed.
Error explain_infeasible(const PlanningTask& task, const std::vector<Chain>& chains, const SearchSpace& space);

}  // namespace funcpipe
