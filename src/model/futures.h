// Removes torch.jit.fork and torch.jit.wait: the forked call stands where it is forked, so there is nothing to wait
// for.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace funcpipe {

// Replaces every future in `graph`, alone or in a list, tuple or dictionary, by the value it promises, and every wait
// by that value. Each fork must already return its result in place of a future.
void lower_futures(torch::jit::Graph& graph);

}  // namespace funcpipe
