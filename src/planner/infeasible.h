// Explains to the user why a search found no plan.
#pragma once

#include <vector>

#include "planner/planner.h"

namespace funcpipe {

// Returns the error for a task none of whose plans fits. It names the layer that lacks most memory, with the
// micro-batch size and replicas at which it lacks least, and what would hold that layer. If every layer fits somewhere,
// it says how many functions would be needed.
Error explain_infeasible(const PlanningTask& task, const std::vector<Chain>& chains, const SearchSpace& space);

}  // namespace funcpipe
