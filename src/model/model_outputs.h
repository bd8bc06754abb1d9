// Which of a model's outputs is trained on, and what is then not needed.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <functional>
#include <memory>
#include <string>

namespace funcpipe {

// Makes one tensor the only output of `graph`: of a tuple, list or dictionary of outputs the one called `wanted` (a
// dictionary's key, a named tuple's field, a position counted from 0), the first if that is empty; of outputs within
// outputs the first. Throws std::invalid_argument if there is no such tensor, saying which there are.
void choose_output(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& wanted);

// Deletes the nodes at top level that nothing needs and that change nothing: no value, and no buffer as `changes` says
// (of a use of a value by a node), which libtorch's own dead-code elimination does not know of normalisations.
void drop_unused(torch::jit::Graph& graph, const std::function<bool(const torch::jit::Use&)>& changes);

}  // namespace funcpipe
