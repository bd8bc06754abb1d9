// Merges neighbouring layers of a chain, so that there are fewer cuts to consider.
#pragma once

#include <vector>

#include "planner/chain.h"

namespace funcpipe {

struct MergedChain {
  Chain chain;
  std::vector<int> ends;  // Layer i of `chain` ends before layer ends[i] of the original.
};

// Merges to at most `count` layers of about equal computing time. Near each even position it takes the cut with the
// smallest border.
MergedChain merge_layers(const Chain& chain, int count);

}  // namespace funcpipe
