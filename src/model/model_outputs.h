// Chooses the output of a model that is trained on, and removes what is not needed for it.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <memory>
#include <string>

namespace funcpipe {

// Makes one tensor the only output of `graph`. Of a tuple, list or dictionary it is the output called `wanted`: a
// dictionary's key, a named tuple's field, or a position from 0; empty: the first. If that output again contains
// outputs, it is the first of those. Throws std::invalid_argument if there is no such tensor; the message lists those
// there are.
void choose_output(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& wanted);

// Deletes top-level nodes that nothing needs and that change nothing: neither a value, nor a buffer as far as `changes`
// says (of a use of a value by a node). libtorch's dead-code elimination does not know that normalisations change
// buffers.
void drop_unused(torch::jit::Graph& graph, const std::function<bool(const torch::jit::Use&)>& changes);

}  // namespace funcpipe
