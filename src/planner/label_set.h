// The labels (partial plans) that the search keeps at one cut: those that no other label there makes useless.
#pragma once

#include <vector>

#include "planner/bounds.h"

namespace funcpipe {

// A partial plan: the stages from some layer to the last. Its first stage ends at layer `end` and has function size
// `option`; `parent` is the index of the label at `end` with the other stages, -1 for none.
struct Label {
  Suffix suffix;
  int end = 0, option = 0, parent = -1;
};

// Removes the dominated ones of `labels`, which all start at layer `first`. A label dominates another if every
// completion of it is at least as fast and as cheap as the same completion of the other. `more` is the number of
// micro-batches beyond the first; `stages_matter` says that the number of stages is limited. docs/algorithms.md,
// "Planning".
void keep_undominated(std::vector<Label>& labels, int first, const Bounds& bounds, double more, bool stages_matter);

}  // namespace funcpipe
