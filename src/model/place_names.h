// What a flattened model's nodes and values are called where a user reads of them. Nothing here changes the graph; any
// thread may call it while none does.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <string>

namespace funcpipe {

// The dotted path of the submodule that `node` came from; empty for the root's own forward.
std::string module_path(torch::jit::Node* node);

// Where the model's source has `node`: `before` and "model.py line 12"; empty if unknown.
std::string source_line(const torch::jit::Node* node, const std::string& before = ", ");

// "`names` (List[str], model.py line 12)"; the line that makes it or, as libtorch does not keep that of `[]`, uses it.
std::string named(const torch::jit::Value* value);

}  // namespace funcpipe
