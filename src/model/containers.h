// Lists and dictionaries that forward makes and then changes: features appended one by one, `result["out"] = x`.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// What the operations that change a container return is the container again; libtorch's alias analysis does not know it
// of all of them (`list += other`). To be called before any pass that relies on that.
void unify_changed_containers(torch::jit::Graph& graph);

// Follows each such container through the straight line of operations that change it and gives every reader one made
// at once of what it holds there, so that the operations that change it go away; an element read by a number or key
// that is known becomes that element. A container that is changed within a branch or a loop, or that could be reached
// by another way while it is changed, stays as it is. Whether the graph changed.
bool settle_containers(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
