#include "model/span.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "model/border_values.h"
#include "model/cut.h"

namespace funcpipe {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
namespace prim = torch::jit::prim;

namespace {

class SpanWriter {
 public:
  explicit SpanWriter(const FlatModel& model) : model_(model) { span_.graph = std::make_shared<Graph>(); }

  SpanGraph write(int begin, int end, const std::vector<Value*>& inputs, const std::vector<Value*>& outputs) {
    for (Value* value : inputs) add_border(value);
    note_sources(begin, end, outputs);
    for (const auto index : data_inputs_) {
      span_.data_inputs.push_back(static_cast<int>(index));
      add_input(model_.data_input(index));
    }
    add_input(model_.training);
    span_.assigned.assign(assigned_.begin(), assigned_.end());
    if (!assigned_.empty()) add_input(model_.state);
    for (const int slot : slots_) {
      span_.slots.push_back(slot);
      add_input(model_.slots[slot].value);
    }
    for (int position = begin; position < end; ++position) {
      Node* original = model_.nodes[position];
      if (!model_.made_anew(original)) clone(original);
    }
    for (Value* output : outputs) {
      for (Value* tensor : leaving(output)) span_.graph->registerOutput(tensor);
    }
    return std::move(span_);
  }

 private:
  void add_input(Value* original) {
    Value* input = span_.graph->addInput();
    input->setType(original->type());
    mapping_[original] = input;
  }

  void add_border(Value* value) {
    const auto count = travelling_tensors(value->type());
    FUNCPIPE_CHECK(count.has_value(), "value {} of type {} is live at a border", value->debugName(),
                   value->type()->repr_str());
    auto& tensors = arriving_[value];
    for (std::size_t i = 0; i < *count; ++i) {
      Value* input = span_.graph->addInput();
      input->setType(c10::TensorType::get());
      tensors.push_back(input);
    }
    span_.border_inputs += *count;
  }

  // Notes which data inputs and slots the span reads, also through nodes that it makes anew.
  void note_sources(int begin, int end, const std::vector<Value*>& outputs) {
    for (int position = begin; position < end; ++position) {
      if (model_.made_anew(model_.nodes[position])) continue;
      visit_nested(model_.nodes[position], [&](Node* node) {
        for (Value* input : node->inputs()) note(input);
        if (const int slot = model_.assigned_slot(node); slot >= 0) assigned_.insert(slot);
      });
    }
    for (Value* output : outputs) {
      if (!arriving_.contains(output)) note(output);
    }
  }

  void note(Value* value) {
    if (arriving_.contains(value)) return;
    if (model_.made_anew(value->node())) {
      for (Value* part : value->node()->inputs()) note(part);
      return;
    }
    if (value->node()->kind() != prim::Param || value->node()->owningBlock() != model_.graph->block()) return;
    if (const auto slot = model_.slot_of.find(value); slot != model_.slot_of.end()) {
      slots_.insert(slot->second);
    } else if (value != model_.training && value != model_.state) {
      data_inputs_.insert(value->offset());
    }
  }

  void clone(Node* original) {
    Node* made =
        span_.graph->appendNode(span_.graph->createClone(original, [&](Value* value) { return local(value); }));
    for (std::size_t i = 0; i < original->outputs().size(); ++i) mapping_[original->outputs()[i]] = made->outputs()[i];
  }

  // Returns the span's own value for `original`: computed here, received over the border, or made anew.
  Value* local(Value* original) {
    if (const auto known = mapping_.find(original); known != mapping_.end()) return known->second;
    if (const auto arrived = arriving_.find(original); arrived != arriving_.end()) {
      const torch::jit::WithInsertPoint at_start(*span_.graph->nodes().begin());
      return mapping_[original] = unpack(*span_.graph, original->type(), arrived->second);
    }
    FUNCPIPE_CHECK(model_.made_anew(original->node()), "value {} is not live in the span", original->debugName());
    if (original->node()->inputs().empty()) {
      Node* made = span_.graph->createClone(original->node(), [](Value* value) { return value; });
      return mapping_[original] = span_.graph->prependNode(made)->output();
    }
    clone(original->node());
    return mapping_.at(original);
  }

  // Returns the tensors that stand for `value` after the span. If it only passes through, they are those received.
  std::vector<Value*> leaving(Value* value) {
    if (const auto arrived = arriving_.find(value); arrived != arriving_.end()) return arrived->second;
    const torch::jit::WithInsertPoint at_end(span_.graph->block());
    return pack(*span_.graph, local(value));
  }

  const FlatModel& model_;
  SpanGraph span_;
  std::set<std::size_t> data_inputs_;
  std::set<int> slots_, assigned_;
  std::unordered_map<Value*, std::vector<Value*>> arriving_;  // values received over the border before the span
  std::unordered_map<Value*, Value*> mapping_;
};

}  // namespace

std::vector<int> SpanGraph::all_slots() const {
  std::vector<int> all = slots;
  all.insert(all.end(), assigned.begin(), assigned.end());
  std::ranges::sort(all);
  return all;
}

SpanGraph span_graph(const FlatModel& model, int begin, int end, const std::vector<Value*>& inputs,
                     const std::vector<Value*>& outputs) {
  return SpanWriter(model).write(begin, end, inputs, outputs);
}

}  // namespace funcpipe
