#include "model/futures.h"

#include <vector>

#include "model/cut.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

bool holds_future(const c10::TypePtr& type) {
  if (type->kind() == c10::TypeKind::FutureType) return true;
  for (const auto& inner : type->containedTypes())
    if (holds_future(inner)) return true;
  return false;
}

c10::TypePtr without_futures(const c10::TypePtr& type) {
  if (const auto future = type->cast<c10::FutureType>()) return without_futures(future->getElementType());
  if (!holds_future(type)) return type;
  std::vector<c10::TypePtr> inner;
  for (const auto& contained : type->containedTypes()) inner.push_back(without_futures(contained));
  return type->withContained(std::move(inner));
}

template <class Visit>
void visit_blocks(Block* block, const Visit& visit) {
  visit(block);
  for (Node* node : block->nodes())
    for (Block* inner : node->blocks()) visit_blocks(inner, visit);
}

}  // namespace

void lower_futures(Graph& graph) {
  std::vector<Node*> waits;
  const auto lower = [](Value* value) {
    if (holds_future(value->type())) value->setType(without_futures(value->type()));
  };
  visit_blocks(graph.block(), [&](Block* block) {
    for (Value* input : block->inputs()) lower(input);
    for (Node* node : block->nodes()) {
      for (Value* output : node->outputs()) lower(output);
      if (node->kind() == aten::wait) waits.push_back(node);
    }
  });
  for (Node* wait : waits) {
    wait->output()->replaceAllUsesWith(wait->input());
    wait->destroy();
  }
}

}  // namespace funcpipe
