// torch.autocast blocks in a scripted forward.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Puts the casts that the blocks ask for into the graph, as PyTorch does when it runs a scripted module, and takes the
// blocks away. Calls must have been inlined. Throws what libtorch says of a block that it does not support, such as one
// whose `enabled` is only known at run time.
void apply_autocast(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
