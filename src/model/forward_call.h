// What PyTorch runs when a module is called: the hooks registered before forward, forward, and the hooks after it.
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Returns the graph of a call of `module`, with the inputs of its method forward (the first is the module itself).
// Hooks of submodules are in the code that calls those. Throws std::invalid_argument for a hook that does not fit
// forward.
std::shared_ptr<torch::jit::Graph> forward_call(const torch::jit::Module& module);

}  // namespace funcpipe
