#include "model/gradient_flow.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

// True for operations whose outputs never have a gradient graph. Outputs of whole numbers and truth values are
// recognised by their types when the model is measured.
bool ends_gradients(const Node* node) {
  static constexpr std::array<std::string_view, 28> kNames{
      "detach",     "detach_",     "gt",        "lt",         "ge",        "le",         "eq",
      "ne",         "argmax",      "argmin",    "argsort",    "nonzero",   "zeros_like", "ones_like",
      "empty_like", "full_like",   "rand_like", "randn_like", "new_zeros", "new_ones",   "new_full",
      "new_empty",  "logical_not", "isnan",     "isinf",      "isfinite",  "bernoulli",  "one_hot"};
  return node->kind().is_aten() &&
         std::ranges::find(kNames, std::string_view(node->kind().toUnqualString())) != kNames.end();
}

// True for tensors and for what may contain them. Numbers, texts and truth values have no gradient.
bool holds_tensors(const Value* value) {
  const auto& type = value->type();
  return !type->isSubtypeOf(*c10::NumberType::get()) && !type->isSubtypeOf(*c10::BoolType::get()) &&
         !type->isSubtypeOf(*c10::StringType::get()) && !type->isSubtypeOf(*c10::NoneType::get()) &&
         !type->isSubtypeOf(*c10::ListType::ofInts()) && !type->isSubtypeOf(*c10::ListType::ofFloats()) &&
         !type->isSubtypeOf(*c10::ListType::ofBools());
}

class GradientFlow {
 public:
  explicit GradientFlow(const FlatModel& model) : model_(model) {
    for (const TensorSlot& slot : model.slots)
      if (slot.tensor.requires_grad() && !slot.assigned) reached_.insert(slot.value);
    // Repeated until nothing is added: a loop's outputs are inputs of its next round, and a list that is filled later
    // reaches all who have it.
    for (std::size_t before = 0; before != size();) {
      before = size();
      visit(*model.graph->block());
    }
  }

  std::set<const Value*> uncertain() const {
    std::set<const Value*> both;
    for (const Node* node : model_.nodes)
      for (const Value* output : node->outputs())
        if (reached_.contains(output) && by_branch_.contains(output)) both.insert(output);
    return both;
  }

 private:
  std::size_t size() const { return reached_.size() + by_branch_.size(); }

  // True if every run in training takes the same way here, because only constants and `training` decide.
  bool decided_by_mode(const Value* value) const {
    if (value == model_.training) return true;
    const Node* maker = value->node();
    if (maker->kind() == prim::Param || !maker->blocks().empty()) return false;
    return std::ranges::all_of(maker->inputs(), [&](const Value* input) { return decided_by_mode(input); });
  }

  static void pass(std::set<const Value*>& marked, const Value* from, const Value* to) {
    if (marked.contains(from)) marked.insert(to);
  }
  void pass_both(const Value* from, const Value* to) {
    pass(reached_, from, to);
    pass(by_branch_, from, to);
  }

  void visit(const Block& block) {
    for (const Node* node : block.nodes()) visit(*node);
  }

  void visit(const Node& node) {
    if (node.kind() == prim::If) return visit_if(node);
    if (node.kind() == prim::Loop) return visit_loop(node);
    for (const Block* inner : node.blocks()) visit(*inner);
    const bool reached = !ends_gradients(&node) && any(reached_, node);
    const bool by_branch = any(by_branch_, node);
    for (const Value* output : node.outputs()) {
      if (reached && holds_tensors(output)) reached_.insert(output);
      if (by_branch) by_branch_.insert(output);
    }
    if (node.outputs().empty() || writes_in_place(node)) {
      // The target of append, copy_ or _set_item then contains what was written.
      if (node.inputs().empty()) return;
      if (reached && holds_tensors(node.input(0))) reached_.insert(node.input(0));
      if (by_branch) by_branch_.insert(node.input(0));
    }
  }

  static bool any(const std::set<const Value*>& marked, const Node& node) {
    return std::ranges::any_of(node.inputs(), [&](const Value* input) { return marked.contains(input); });
  }

  static bool writes_in_place(const Node& node) {
    const auto* schema = node.maybeSchema();
    if (schema == nullptr || schema->arguments().empty()) return false;
    const auto* alias = schema->arguments().front().alias_info();
    return alias != nullptr && alias->isWrite();
  }

  void visit_if(const Node& node) {
    const bool open = !decided_by_mode(node.input());
    for (const Block* branch : node.blocks()) {
      visit(*branch);
      for (std::size_t i = 0; i < node.outputs().size(); ++i) pass_both(branch->outputs()[i], node.outputs()[i]);
    }
    if (open) mark(node);
  }

  // The inputs of a loop are the greatest number of rounds, whether to begin, and the carried values. Its body takes
  // the round and the carried values. It returns whether to go on and the carried values.
  void visit_loop(const Node& node) {
    const Block& body = *node.blocks()[0];
    for (std::size_t i = 0; i < node.outputs().size(); ++i) {
      pass_both(node.inputs()[i + 2], body.inputs()[i + 1]);
      pass_both(body.outputs()[i + 1], body.inputs()[i + 1]);
      pass_both(body.outputs()[i + 1], node.outputs()[i]);
      pass_both(node.inputs()[i + 2], node.outputs()[i]);
    }
    visit(body);
    if (!decided_by_mode(node.inputs()[0]) || !decided_by_mode(node.inputs()[1]) || !decided_by_mode(body.outputs()[0]))
      mark(node);
  }

  void mark(const Node& node) {
    for (const Value* output : node.outputs()) by_branch_.insert(output);
  }

  const FlatModel& model_;
  std::set<const Value*> reached_;    // reached by a way from a trainable parameter
  std::set<const Value*> by_branch_;  // a branch that depends on data decides whether they are made
};

}  // namespace

std::set<const Value*> gradients_by_branch(const FlatModel& model) {
  return GradientFlow(model).uncertain();
}

}  // namespace funcpipe
