// What PyTorch runs when the module is called: the hooks registered on it before forward, forward, the hooks after.
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// The graph of calling `module`, with the inputs of its method forward (the module itself first). Hooks of submodules
// are in the code that calls those. Throws std::invalid_argument for a hook that does not fit forward.
std::shared_ptr<torch::jit::Graph> forward_call(const torch::jit::Module& module);

}  // namespace funcpipe
