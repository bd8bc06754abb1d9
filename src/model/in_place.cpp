#include "model/in_place.h"

#include <torch/csrc/jit/passes/remove_mutation.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

#include "model/border_values.h"
#include "model/flat_model.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

enum class Typing { same, of_the_written, other };

// Compares the type that a new tensor would have with that of the tensor the operation writes to.
Typing typing(const Node* node) {
  static const std::set<std::string_view> kSame{"masked_fill_", "masked_scatter_", "index_put_", "index_fill_",
                                                "index_copy_",  "index_add_",      "scatter_",   "scatter_add_"};
  static const std::set<std::string_view> kOther{"eq_",
                                                 "ne_",
                                                 "lt_",
                                                 "le_",
                                                 "gt_",
                                                 "ge_",
                                                 "not_equal_",
                                                 "less_",
                                                 "less_equal_",
                                                 "greater_",
                                                 "greater_equal_",
                                                 "logical_not_",
                                                 "float_power_"};
  const std::string_view name = node->kind().toUnqualString();
  if (kOther.contains(name)) return Typing::other;
  if (kSame.contains(name)) return Typing::same;
  bool takes_tensors = false;
  for (std::size_t i = 1; i < node->inputs().size(); ++i)
    takes_tensors = takes_tensors || holds_tensors(node->input(i)->type());
  if (!takes_tensors) return Typing::same;
  // The gradient of a sum goes to its terms unchanged, whatever the type; that of a product is computed in the type.
  return name == "add_" || name == "sub_" ? Typing::of_the_written : Typing::other;
}

}  // namespace

void remove_in_place_operations(std::shared_ptr<Graph>& graph) {
  std::set<const Node*> sums;
  const auto each_sum = [&](const std::function<void(Node*)>& act) {
    std::vector<Node*> found;
    for (Node* top : graph->nodes()) {
      visit_nested(top, [&](Node* node) {
        if ((node->kind() == aten::add || node->kind() == aten::sub) && holds_tensors(node->output()->type()))
          found.push_back(node);
      });
    }
    std::ranges::for_each(found, act);
  };
  each_sum([&](Node* node) { sums.insert(node); });
  RemoveTensorMutation(graph, [](Node* node) { return typing(node) != Typing::other; });
  each_sum([&](Node* node) {
    if (sums.contains(node) || !holds_tensors(node->input(1)->type())) return;
    const WithInsertPoint behind(node->next());
    Node* type = graph->insertNode(graph->create(prim::dtype, {node->input(0)}, 1));
    type->output()->setType(IntType::get());
    Value* typed = graph->insert(aten::to, {node->output(), type->output(), false, false});
    typed->setType(TensorType::get());
    node->output()->replaceAllUsesAfterNodeWith(typed->node(), typed);
  });
}

}  // namespace funcpipe
