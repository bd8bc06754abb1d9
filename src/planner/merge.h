// A coarser chain: neighbouring layers joined, so that fewer cuts are to be considered.
#pragma once

#include <vector>

#include "planner/chain.h"

namespace funcpipe {

struct MergedChain {
  Chain chain;
  std::vector<int> ends;  // layer i of `chain` ends before layer ends[i] of the original
};

// To at most `count` layers of about equal computing time; near each even position the cut with the smallest border is
// taken.
MergedChain merge_layers(const Chain& chain, int count);

}  // namespace funcpipe
