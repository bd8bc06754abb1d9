// Operations in place made into ones that give new tensors, so that a graph can be cut between them.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Where nothing else sees the change, and only where the values and the gradients stay the same bits. In place, a
// result has the type of the tensor that is written; in a new tensor it would have the common type of the operands, or
// be bool. Sums and differences are brought back to their type; other operations that take another tensor, and
// comparisons, stay.
void remove_in_place_operations(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
