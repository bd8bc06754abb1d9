// Lists, tuples and dictionaries that are attributes of a module.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// Values of a graph that stand for such attributes, each with the attribute's dotted path.
using AttributeContainers = std::vector<std::pair<torch::jit::Value*, std::string>>;

// True if the value is a tensor or contains one at any depth.
bool holds_tensors(const c10::IValue& value);

// Refuses a graph that changes such an attribute, because its content would have to last from one call to the next.
// Errors: invalid_input, with the attribute's path and the source line of the change.
Result<> refuse_changed_containers(const std::shared_ptr<torch::jit::Graph>& graph,
                                   const AttributeContainers& containers);

}  // namespace funcpipe
