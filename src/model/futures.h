// torch.jit.fork and torch.jit.wait: the forked call has been put where it is forked, so there is nothing to wait for.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace funcpipe {

// A fork gave its result in place of a future: every future in `graph`, alone or in a list, a tuple or a dictionary,
// becomes the value it promises, and every wait that value.
void lower_futures(torch::jit::Graph& graph);

}  // namespace funcpipe
