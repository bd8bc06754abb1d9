#include "model/remade.h"

#include <torch/csrc/jit/ir/alias_analysis.h>

#include <algorithm>
#include <optional>

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

bool is_number(const Value* value) {
  switch (value->type()->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::NumberType:
    case c10::TypeKind::NoneType:
    case c10::TypeKind::DeviceObjType:
    case c10::TypeKind::StringType:
      return true;
    default:
      return false;
  }
}

bool is_container(const Node* node) {
  return node->kind() == prim::ListConstruct || node->kind() == prim::TupleConstruct ||
         node->kind() == prim::DictConstruct;
}

bool is_pure(const Node* node) {
  return node->blocks().empty() && !node->hasSideEffects() && !node->isNondeterministic() && !node->outputs().empty() &&
         std::ranges::all_of(node->outputs(), is_number);
}

}  // namespace

std::unordered_set<const Node*> remade_nodes(const FlatModel& model) {
  std::unordered_set<const Node*> remade;
  std::optional<AliasDb> aliases;
  std::unordered_set<const Value*> closed{model.training};  // values that follow from constants and `training` alone
  const auto is_closed = [&](const Value* value) {
    return FlatModel::free_to_copy(value->node()) || closed.contains(value);
  };
  for (Node* node : model.nodes) {
    const bool follows = std::ranges::all_of(node->inputs(), is_closed);
    bool anew = follows && is_pure(node);
    if (is_container(node)) {
      if (!aliases && node->kind() != prim::TupleConstruct) aliases.emplace(model.graph);
      anew = node->kind() == prim::TupleConstruct || !aliases->hasWriters(node->output());
    }
    if (!anew) continue;
    remade.insert(node);
    if (follows) closed.insert(node->outputs().begin(), node->outputs().end());
  }
  return remade;
}

}  // namespace funcpipe
