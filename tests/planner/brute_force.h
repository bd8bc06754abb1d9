#pragma once

#include "planner/frontier_search.h"

namespace funcpipe {

// The frontier by looking at every plan there is.
Frontier brute_force(const std::vector<Chain>& chains, const SearchSpace& space);

}  // namespace funcpipe
