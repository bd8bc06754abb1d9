// Random chains for the planner's tests: small figures with many ties, zero-size borders, layers that do not fit.
#pragma once

#include <random>

#include "planner/chain.h"
#include "planner/frontier_search.h"

namespace funcpipe {

Chain random_chain(std::mt19937_64& random, int layers, int options);

// A chain like a real model's: smooth figures, `options` function sizes as Lambda's.
Chain smooth_chain(std::mt19937_64& random, int layers, int options);

}  // namespace funcpipe
