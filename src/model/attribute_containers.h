// Lists, tuples and dictionaries that a module has as attributes.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// Values of a graph that stand for such attributes, with the attributes' dotted paths.
using AttributeContainers = std::vector<std::pair<torch::jit::Value*, std::string>>;

// Whether the value is a tensor or holds one at any depth.
bool holds_tensors(const c10::IValue& value);

// Refuses a graph that changes one of them: what it holds would have to last from one call to the next. Error:
// invalid_input, with the attribute's path and the source line of the change.
Result<> refuse_changed_containers(const std::shared_ptr<torch::jit::Graph>& graph,
                                   const AttributeContainers& containers);

}  // namespace funcpipe
