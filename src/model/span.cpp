#include "model/span.h"

#include <set>

#include "base/check.h"
#include "model/cut.h"

namespace funcpipe {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
namespace prim = torch::jit::prim;

SpanGraph span_graph(const FlatModel& model, int begin, int end, const std::vector<Value*>& inputs,
                     const std::vector<Value*>& outputs) {
  SpanGraph span;
  span.graph = std::make_shared<Graph>();
  span.border_inputs = inputs.size();
  auto& graph = *span.graph;
  std::unordered_map<Value*, Value*> mapping;
  const auto add_input = [&](Value* original) {
    Value* input = graph.addInput();
    input->setType(original->type());
    mapping[original] = input;
  };
  for (Value* value : inputs) add_input(value);

  std::set<std::size_t> data_inputs;
  std::set<int> slots;
  const auto note = [&](Value* value) {
    if (value->node()->kind() != prim::Param || value->node()->owningBlock() != model.graph->block()) return;
    if (const auto slot = model.slot_of.find(value); slot != model.slot_of.end()) {
      slots.insert(slot->second);
    } else if (value != model.training) {
      data_inputs.insert(value->offset());
    }
  };
  for (int position = begin; position < end; ++position) {
    visit_nested(model.nodes[position], [&](Node* node) {
      for (Value* input : node->inputs()) note(input);
    });
  }
  for (Value* output : outputs) note(output);
  for (const auto index : data_inputs) {
    span.data_inputs.push_back(static_cast<int>(index));
    add_input(model.data_input(index));
  }
  add_input(model.training);
  for (const int slot : slots) {
    span.slots.push_back(slot);
    add_input(model.slots[slot].value);
  }

  const std::function<Value*(Value*)> lookup = [&](Value* original) -> Value* {
    if (const auto known = mapping.find(original); known != mapping.end()) return known->second;
    FUNCPIPE_CHECK(FlatModel::free_to_copy(original->node()), "value {} is not live in nodes [{}, {})",
                   original->debugName(), begin, end);
    Node* constant = graph.createClone(original->node(), [](Value* value) { return value; });
    graph.prependNode(constant);
    return mapping[original] = constant->output();
  };
  for (int position = begin; position < end; ++position) {
    Node* original = model.nodes[position];
    Node* clone = graph.appendNode(graph.createClone(original, lookup));
    for (std::size_t i = 0; i < original->outputs().size(); ++i) mapping[original->outputs()[i]] = clone->outputs()[i];
  }
  for (Value* output : outputs) graph.registerOutput(lookup(output));
  return span;
}

}  // namespace funcpipe
