// Which tensors of a model may or may not need a gradient from one micro-batch to the next.
#pragma once

#include <set>

#include "model/flat_model.h"

namespace funcpipe {

// The tensors made at top level whose need of a gradient one run cannot show: they come, directly or through others,
// out of a branch or a loop that a micro-batch's size or values decide, and some way through it leads from a trainable
// parameter to them. What only the mode (`training`) decides is the same in every training run, so it is not among
// them.
std::set<const torch::jit::Value*> gradients_by_branch(const FlatModel& model);

}  // namespace funcpipe
