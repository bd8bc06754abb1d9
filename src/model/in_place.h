// Replaces in-place operations by ones that make new tensors, so that the graph can be cut between them.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Replaces an operation if nothing else sees the change and the values and gradients keep their bits. An in-place
// result has the type of the tensor written to; a new tensor would have the common type of the operands, or bool. So
// the results of sums and differences are converted back to that type. Other operations with a second tensor, and
// comparisons, stay in place.
void remove_in_place_operations(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
