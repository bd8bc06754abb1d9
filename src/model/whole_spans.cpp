#include "model/whole_spans.h"

#include <torch/csrc/jit/ir/constants.h>

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "model/place_names.h"

namespace funcpipe {

using namespace torch::jit;  // NOLINT: this file is about its types

std::vector<Whole> whole_spans(const FlatModel& model) {
  const int count = static_cast<int>(model.nodes.size());
  std::unordered_map<const Node*, int> position_of;
  for (int position = 0; position < count; ++position)
    visit_nested(model.nodes[position], [&](const Node* node) { position_of[node] = position; });
  // The position where a tensor, or the earliest of those in a list, is made; -1 for data, parameters, buffers and
  // unknown values.
  const std::function<int(const Value*)> made_at = [&](const Value* value) {
    const Node* node = value->node();
    if (node->kind() == prim::ListConstruct) {
      int earliest = count;
      for (const Value* part : node->inputs()) earliest = std::min(earliest, made_at(part));
      return earliest;
    }
    const auto found = position_of.find(node);
    const bool is_tensor = value->type()->kind() == TypeKind::TensorType;
    return is_tensor && found != position_of.end() ? found->second : -1;
  };
  std::vector<Whole> spans;
  Whole switched{-1, -1, {}};
  for (int position = 0; position < count; ++position) {
    visit_nested(model.nodes[position], [&](const Node* node) {
      const std::string_view name = node->kind().toUnqualString();
      if (!node->kind().is_aten()) return;
      if (name == "grad" || name == "backward") {
        const int from = name == "grad" && node->inputs().size() > 1 ? made_at(node->input(1)) : -1;
        spans.push_back({from, position,
                         fmt::format("torch.autograd.{} differentiates{} what was computed before", name,
                                     source_line(node, " at "))});
      } else if (name == "set_grad_enabled") {
        if (switched.first < 0) {
          switched.first = position;
          switched.why = fmt::format("forward switches gradients off and on{}", source_line(node, " at "));
        }
        const auto on = toIValue(node->input(0));
        switched.last = on && !on->toBool() ? count : position;
      }
    });
  }
  if (switched.first >= 0) spans.push_back(switched);
  return spans;
}

bool may_be_unset(const Value* value) {
  const Node* node = value->node();
  if (node->kind() == prim::Uninitialized) return true;
  if (node->kind() == prim::If)
    return std::ranges::any_of(node->blocks(),
                               [&](const Block* block) { return may_be_unset(block->outputs()[value->offset()]); });
  if (node->kind() == prim::Loop)
    return may_be_unset(node->inputs()[value->offset() + 2]) ||
           may_be_unset(node->blocks()[0]->outputs()[value->offset() + 1]);
  return false;
}

}  // namespace funcpipe
