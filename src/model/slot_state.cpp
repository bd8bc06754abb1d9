#include "model/slot_state.h"

#include <fmt/format.h>
#include <torch/csrc/jit/passes/constant_propagation.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "model/memory_flow.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

std::map<std::string, int> assigned_slots(const FlatModel& model) {
  std::map<std::string, int> slots;
  for (std::size_t i = 0; i < model.slots.size(); ++i) {
    if (model.slots[i].assigned) slots[model.slots[i].state_attribute] = static_cast<int>(i);
  }
  return slots;
}

// The graph in training mode. It tells what there depends on a slot.
class TrainingFlow {
 public:
  explicit TrainingFlow(const FlatModel& model) : graph_(model.graph->copy()) {
    std::unordered_map<const Value*, int> slot_of;
    for (const auto& [value, slot] : model.slot_of) slot_of[graph_->inputs()[value->offset()]] = slot;
    const Value* state = model.state == nullptr ? nullptr : graph_->inputs()[model.state->offset()];
    {
      const WithInsertPoint at_start(*graph_->nodes().begin());
      graph_->inputs()[model.training->offset()]->replaceAllUsesWith(graph_->insertConstant(true));
    }
    ConstantPropagation(graph_);
    memory_.emplace(*graph_, std::move(slot_of), state, assigned_slots(model));
  }

  bool reaches_outputs(int slot) {
    changing_ = {slot};
    values_.clear();
    for (std::size_t size = 0; size != values_.size() + changing_.size();) {
      size = values_.size() + changing_.size();
      follow(graph_->block(), false);
    }
    return std::ranges::any_of(graph_->outputs(), [&](const Value* output) { return depends(output); });
  }

 private:
  bool depends(const Value* value) const {
    return values_.contains(value) ||
           std::ranges::any_of(memory_->of(value), [&](int slot) { return changing_.contains(slot); });
  }

  // `chosen`: the slot decides whether these nodes run.
  void follow(Block* block, bool chosen) {
    for (Node* node : block->nodes()) follow(node, chosen);
  }

  void follow(Node* node, bool chosen) {
    bool read = chosen;
    for (std::size_t i = 0; i < node->inputs().size(); ++i) {
      const Value* input = node->inputs()[i];
      if (!depends(input)) continue;
      // A normalisation in training mode uses its statistics only to update them.
      if (updates_statistic(node, i)) {
        for (std::size_t k = 0; k < node->inputs().size(); ++k) {
          if (k != i && updates_statistic(node, k)) mark_slots(memory_->of(node->inputs()[k]));
        }
        continue;
      }
      read = true;
    }
    if (node->kind() == prim::If || node->kind() == prim::Loop) {
      const bool by_choice =
          chosen || depends(node->inputs()[0]) || (node->kind() == prim::Loop && depends(node->inputs()[1]));
      for (Block* block : node->blocks()) {
        follow(block, by_choice);
        const std::size_t skipped = node->kind() == prim::Loop ? 1 : 0;
        for (std::size_t i = 0; i < node->outputs().size(); ++i) {
          const bool of_block = depends(block->outputs()[i + skipped]);
          if (by_choice || of_block || (skipped > 0 && depends(node->inputs()[i + 2])))
            values_.insert(node->outputs()[i]);
          if (skipped > 0 && (by_choice || of_block || depends(node->inputs()[i + 2])))
            values_.insert(block->inputs()[i + 1]);
        }
      }
      return;
    }
    for (Block* block : node->blocks()) follow(block, read);
    if (!read) return;
    values_.insert(node->outputs().begin(), node->outputs().end());
    mark_slots(memory_->written_by(node));
  }

  void mark_slots(const Slots& slots) { changing_.insert(slots.begin(), slots.end()); }

  std::shared_ptr<Graph> graph_;
  std::optional<MemoryFlow> memory_;
  Slots changing_;                           // slots that depend on the slot under examination
  std::unordered_set<const Value*> values_;  // values that do
};

// Refuses two names for one memory if forward writes to it or it is trained. A stage keeps the last tensor of each
// name, so a change through one name would no longer show under the other.
Result<> refuse_aliases(const FlatModel& model, const MemoryFlow& memory) {
  Slots in_place;
  for (std::size_t i = 0; i < model.slots.size(); ++i) {
    if (model.slots[i].tensor.requires_grad()) in_place.insert(static_cast<int>(i));
  }
  std::vector<const Node*> assignments;
  for (Node* top : model.nodes) {
    visit_nested(top, [&](const Node* node) {
      if (node->kind() == prim::SetAttr && memory.assigned(node) >= 0)
        assignments.push_back(node);
      else
        for (const int slot : memory.written_by(node)) in_place.insert(slot);
    });
  }
  for (const Node* assignment : assignments) {
    const int slot = memory.assigned(assignment);
    const Value* value = assignment->inputs()[1];
    Slots others = memory.of(value);
    others.insert(memory.given(value).begin(), memory.given(value).end());
    for (const int other : others) {
      if (other == slot || other == kConstantMemory || !(in_place.contains(slot) || in_place.contains(other))) continue;
      return fail(ErrorCode::invalid_input,
                  fmt::format("forward assigns to {} the memory of {}, which it also changes in place",
                              model.slots[slot].name, model.slots[other].name),
                  {}, "assign a copy: value.clone()");
    }
  }
  return {};
}

}  // namespace

Result<> refuse_written_constants(Graph& graph) {
  // What these operations write does not depend on the values before.
  static const std::set<std::string_view> kOverwriting{"copy_",        "fill_",       "zero_",    "index_put_",
                                                       "masked_fill_", "index_fill_", "scatter_", "normal_"};
  const MemoryFlow memory(graph, {}, nullptr, {});
  const Node* writer = nullptr;
  for (Node* top : graph.nodes()) {
    visit_nested(top, [&](const Node* node) {
      if (memory.written_by(node).contains(kConstantMemory) && !kOverwriting.contains(node->kind().toUnqualString()))
        writer = node;
    });
  }
  if (writer == nullptr) return {};
  return fail(ErrorCode::invalid_input,
              fmt::format("forward changes, by `{}`, a tensor that is no parameter or buffer of the module",
                          writer->kind().toUnqualString()),
              {}, "register it: self.register_buffer(name, tensor)");
}

Result<> analyse_state(FlatModel& model) {
  const MemoryFlow memory(*model.graph, model.slot_of, model.state, assigned_slots(model));
  std::vector<std::pair<int, int>> uses(model.slots.size(), {-1, -1});
  for (int position = 0; position < static_cast<int>(model.nodes.size()); ++position) {
    visit_nested(model.nodes[position], [&](Node* node) {
      for (const int slot : memory.touched_by(node)) {
        if (slot == kConstantMemory) continue;
        if (uses[slot].first < 0) uses[slot].first = position;
        uses[slot].second = position;
      }
      for (const int slot : memory.written_by(node)) {
        if (slot != kConstantMemory) model.slots[slot].changes = true;
      }
    });
  }
  FUNCPIPE_TRY_VOID(refuse_aliases(model, memory));
  bool any = false;
  for (std::size_t i = 0; i < model.slots.size(); ++i) {
    TensorSlot& slot = model.slots[i];
    if (!slot.changes) continue;
    slot.owns_memory = memory.owns_memory(static_cast<int>(i));
    std::tie(slot.first_use, slot.last_use) = uses[i];
    any = true;
  }
  if (!any) return {};
  TrainingFlow training(model);
  for (std::size_t i = 0; i < model.slots.size(); ++i) {
    if (model.slots[i].changes) model.slots[i].feeds_loss = training.reaches_outputs(static_cast<int>(i));
  }
  return {};
}

bool lies_in_slot(const FlatModel& model, const Value* value) {
  while (!model.slot_of.contains(value)) {
    const Node* node = value->node();
    if (const int slot = model.assigned_slot(node); slot >= 0) return model.slots[slot].owns_memory;
    const auto* schema = node->maybeSchema();
    if (schema == nullptr) return false;
    const Value* viewed = nullptr;
    for (std::size_t i = 0; i < node->inputs().size() && i < schema->arguments().size(); ++i) {
      if (schema->arguments()[i].alias_info() == nullptr) continue;
      if (viewed != nullptr) return false;
      viewed = node->inputs()[i];
    }
    const auto* returned =
        value->offset() < schema->returns().size() ? schema->returns()[value->offset()].alias_info() : nullptr;
    if (viewed == nullptr || returned == nullptr) return false;
    value = viewed;
  }
  return true;
}

const TensorSlot* state_across(const FlatModel& model, int position) {
  const auto across = [&](const TensorSlot& slot) {
    return slot.changes && slot.first_use < position && position <= slot.last_use;
  };
  const auto found = std::ranges::find_if(model.slots, across);
  return found == model.slots.end() ? nullptr : &*found;
}

at::Tensor copy_of(const TensorSlot& slot) {
  return slot.tensor.detach().clone().requires_grad_(slot.tensor.requires_grad());
}

c10::IValue copy_of_state(const FlatModel& model) {
  if (model.state == nullptr) return {};
  const auto type = model.state->type()->expect<c10::ClassType>();
  auto object = c10::ivalue::Object::create(c10::StrongTypePtr(type->compilation_unit(), type), type->numAttributes());
  for (const auto& slot : model.slots) {
    if (slot.assigned) object->setAttr(slot.state_attribute, copy_of(slot));
  }
  return object;
}

}  // namespace funcpipe
