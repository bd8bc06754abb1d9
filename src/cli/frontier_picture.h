#pragma once

#include <optional>
#include <string>

#include "planner/planner.h"

namespace funcpipe {

// Draws an SVG of seconds against dollars of an iteration: the Pareto frontier of plans, the chosen plan and, if any,
// the user's own.
std::string frontier_picture(const Planning& planning, const std::optional<Judgement>& own, const std::string& title);

}  // namespace funcpipe
