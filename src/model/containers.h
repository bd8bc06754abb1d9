// Lists and dictionaries that forward makes and then changes: features appended one by one, `result["out"] = x`.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>

namespace funcpipe {

// Replaces the outputs of operations that change a container by the container itself. libtorch's alias analysis does
// not know for all of them that they are the same (`list += other`). Call it before any pass that relies on that
// analysis.
void unify_changed_containers(torch::jit::Graph& graph);

// Follows each such container through the operations that change it, as long as they are in one block. Each reader then
// gets a container made at once with the content it has there, and the changing operations are removed. An element read
// by a constant number or key is replaced by that element. A container stays as it is if a branch or loop changes it,
// or if it could be reached under another name while it is changed. Returns true if the graph changed.
bool settle_containers(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace funcpipe
