// What a better function size or another platform would do to a plan, in words.
#pragma once

#include <string>
#include <vector>

#include "planner/planner.h"

namespace funcpipe {

// The larger size of one stage that saves most time, if any saves more than 1%; and the same plan on each other cloud
// of the catalog with the same function sizes, where it takes another time.
std::vector<std::string> alternatives(const PlanningTask& task, const Chain& chain, const PlannedPoint& point);

}  // namespace funcpipe
