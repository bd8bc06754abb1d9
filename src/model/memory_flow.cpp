#include "model/memory_flow.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <utility>

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

const Slots kNone;

bool says_it_writes(const Node* node, std::size_t index) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr || index >= schema->arguments().size()) return false;
  const auto* alias = schema->arguments()[index].alias_info();
  return alias != nullptr && alias->isWrite();
}

// True if `output` of the node may lie in the memory of its input `index`.
bool is_view(const Node* node, std::size_t index, const Value* output) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr || index >= schema->arguments().size() || output->offset() >= schema->returns().size())
    return false;
  return schema->arguments()[index].alias_info() != nullptr &&
         schema->returns()[output->offset()].alias_info() != nullptr;
}

const Slots& found_in(const std::unordered_map<const Value*, Slots>& map, const Value* value) {
  const auto found = map.find(value);
  return found == map.end() ? kNone : found->second;
}

}  // namespace

bool updates_statistic(const Node* node, std::size_t index) {
  const auto* schema = node->maybeSchema();
  if (schema == nullptr) return false;
  const auto& name = schema->name();
  if (name.find("batch_norm") == std::string::npos && name.find("instance_norm") == std::string::npos) return false;
  const auto& arguments = schema->arguments();
  bool statistic = false, training = true;
  for (std::size_t i = 0; i < arguments.size() && i < node->inputs().size(); ++i) {
    const auto& argument = arguments[i].name();
    if (argument == "training" || argument == "train" || argument == "use_input_stats") {
      const auto constant = toIValue(node->inputs()[i]);
      training = !constant || !constant->isBool() || constant->toBool();
    }
    if (i == index) statistic = argument.starts_with("running_") || argument == "momentum";
  }
  return statistic && training;
}

MemoryFlow::MemoryFlow(Graph& graph, std::unordered_map<const Value*, int> slot_of, const Value* state,
                       std::map<std::string, int> assigned)
    : state_(state), assigned_(std::move(assigned)) {
  for (const auto& [value, slot] : slot_of) lies_in_[value].insert(slot);
  // Repeated, because what is stored in a container or carried round a loop is known only one round later.
  do {
    changed_ = false;
    follow(graph.block());
  } while (changed_);
}

const Slots& MemoryFlow::of(const Value* value) const {
  return found_in(lies_in_, value);
}

const Slots& MemoryFlow::given(const Value* value) const {
  return found_in(given_, value);
}

bool MemoryFlow::owns_memory(int slot) const {
  return std::ranges::all_of(
      given_, [&](const auto& entry) { return !entry.second.contains(slot) || of(entry.first) == Slots{slot}; });
}

Slots MemoryFlow::written_by(const Node* node) const {
  Slots written;
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    const Value* input = node->inputs()[i];
    if (!updates_statistic(node, i) && !says_it_writes(node, i)) continue;
    written.insert(of(input).begin(), of(input).end());
    written.insert(given(input).begin(), given(input).end());
  }
  if (const int slot = assigned(node); slot >= 0 && node->kind() == prim::SetAttr) written.insert(slot);
  return written;
}

Slots MemoryFlow::touched_by(const Node* node) const {
  Slots touched = written_by(node);
  for (const Value* input : node->inputs()) touched.insert(of(input).begin(), of(input).end());
  if (const int slot = assigned(node); slot >= 0) touched.insert(slot);
  return touched;
}

int MemoryFlow::assigned(const Node* node) const {
  if (state_ == nullptr || (node->kind() != prim::GetAttr && node->kind() != prim::SetAttr)) return -1;
  if (node->inputs()[0] != state_) return -1;
  const auto found = assigned_.find(node->s(attr::name));
  return found == assigned_.end() ? -1 : found->second;
}

void MemoryFlow::add(const Value* value, const Slots& slots) {
  if (slots.empty()) return;
  auto& known = lies_in_[value];
  const auto before = known.size();
  known.insert(slots.begin(), slots.end());
  changed_ = changed_ || known.size() != before;
}

void MemoryFlow::follow(Block* block) {
  for (Node* node : block->nodes()) follow(node);
}

void MemoryFlow::follow(Node* node) {
  const auto outputs = node->outputs();
  if (node->kind() == prim::If) {
    for (Block* block : node->blocks()) {
      follow(block);
      for (std::size_t i = 0; i < outputs.size(); ++i) add(outputs[i], Slots(of(block->outputs()[i])));
    }
  } else if (node->kind() == prim::Loop) {
    Block* body = node->blocks()[0];
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      Slots carried = of(node->inputs()[i + 2]);
      carried.insert(of(body->outputs()[i + 1]).begin(), of(body->outputs()[i + 1]).end());
      add(body->inputs()[i + 1], carried);
      add(outputs[i], carried);
    }
    follow(body);
  } else if (node->kind() == prim::Constant) {
    if (node->output()->type()->isSubtypeOf(*c10::TensorType::get())) add(node->output(), {kConstantMemory});
  } else if (const int slot = assigned(node); slot >= 0) {
    if (node->kind() == prim::GetAttr)
      add(node->output(), {slot});
    else
      give(node->inputs()[1], slot);
  } else {
    follow_operation(node);
  }
}

void MemoryFlow::follow_operation(Node* node) {
  const auto* schema = node->maybeSchema();
  Slots all, viewed;
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    const Slots& slots = of(node->inputs()[i]);
    all.insert(slots.begin(), slots.end());
    if (schema != nullptr && i < schema->arguments().size() && schema->arguments()[i].alias_info() != nullptr)
      viewed.insert(slots.begin(), slots.end());
  }
  for (std::size_t i = 0; i < node->outputs().size(); ++i) {
    if (schema == nullptr || i >= schema->returns().size()) {
      add(node->outputs()[i], all);
    } else if (const auto* alias = schema->returns()[i].alias_info()) {
      add(node->outputs()[i], alias->isWildcardAfter() || alias->isWildcardBefore() ? all : viewed);
    }
  }
  // What is put into a list or dictionary lies in it from then on.
  for (std::size_t i = 0; i < node->inputs().size(); ++i) {
    if (says_it_writes(node, i) && !node->inputs()[i]->type()->isSubtypeOf(*c10::TensorType::get()))
      add(node->inputs()[i], all);
  }
  for (Block* block : node->blocks()) follow(block);
}

// After `self.h = value` the memory of `value`, and of what it is a view of, belongs to the slot: who writes there
// writes to the slot, but who reads there does not read the slot.
void MemoryFlow::give(const Value* value, int slot) {
  if (!given_[value].insert(slot).second) return;
  changed_ = true;
  for (const Use& use : value->uses()) {
    if (use.user->kind() == prim::SetAttr) continue;
    for (const Value* output : use.user->outputs()) {
      if (is_view(use.user, use.offset, output)) give(output, slot);
    }
  }
  for (std::size_t i = 0; i < value->node()->inputs().size(); ++i) {
    if (is_view(value->node(), i, value)) give(value->node()->inputs()[i], slot);
  }
}

}  // namespace funcpipe
