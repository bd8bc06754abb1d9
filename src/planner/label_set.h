// The partial plans kept at one cut: every one that no other there makes useless.
#pragma once

#include <vector>

#include "planner/bounds.h"

namespace funcpipe {

// The stages from some layer on; `parent`: the label of the stages after its first one, at `end`.
struct Label {
  Suffix suffix;
  int end = 0, option = 0, parent = -1;
};

// Leaves of `labels`, all starting at layer `first`, those that are not dominated. A label dominates another if every
// completion of it is at least as fast and as cheap as the same completion of the other.
void keep_undominated(std::vector<Label>& labels, int first, const Bounds& bounds, double more, bool stages_matter);

}  // namespace funcpipe
