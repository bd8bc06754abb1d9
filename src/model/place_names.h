// Names, for users, of a flattened model's nodes and values. These functions do not change the graph; any thread may
// call them while no other changes it.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <string>

namespace funcpipe {

// The dotted path of the submodule that `node` came from; empty for the root's own forward.
std::string module_path(torch::jit::Node* node);

// Where `node` is in the model's source: `before` and "model.py line 12"; empty if unknown.
std::string source_line(const torch::jit::Node* node, const std::string& before = ", ");

// "`names` (List[str], model.py line 12)". The line makes the value or, for `[]`, whose line libtorch does not keep,
// uses it.
std::string named(const torch::jit::Value* value);

}  // namespace funcpipe
