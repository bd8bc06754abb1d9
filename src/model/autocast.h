// Handles torch.autocast blocks in a scripted forward.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Inserts the casts that the blocks ask for, as PyTorch does when it runs a scripted module, and removes the blocks.
// Calls must have been inlined. Throws libtorch's exception for a block that it does not support, such as one whose
// `enabled` is only known at run time.
void apply_autocast(std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
