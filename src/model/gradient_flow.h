// Finds tensors that may need a gradient in one micro-batch and not in the next.
#pragma once

#include <set>

#include "model/flat_model.h"

namespace funcpipe {

// Returns the top-level tensors for which one run cannot show whether they need a gradient: they come, directly or
// through others, out of a branch or loop that depends on a micro-batch's size or values, and some way through it leads
// from a trainable parameter to them. A branch that depends on the mode (`training`) alone does not count, because it
// is the same in every training run.
std::set<const torch::jit::Value*> gradients_by_branch(const FlatModel& model);

}  // namespace funcpipe
