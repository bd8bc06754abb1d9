// Says in words what a larger function size or another platform would change in a plan.
#pragma once

#include <string>
#include <vector>

#include "planner/planner.h"

namespace funcpipe {

// Returns one sentence on the larger size of one stage that saves most time, if any saves more than 1%, and one for
// each other cloud of the catalog that offers the plan's function sizes and takes a time that differs by 1% or more.
std::vector<std::string> alternatives(const PlanningTask& task, const Chain& chain, const PlannedPoint& point);

}  // namespace funcpipe
