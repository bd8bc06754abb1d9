#include "model/autocast.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/passes/autocast.h>
#include <torch/csrc/jit/passes/constant_propagation.h>

#include <stdexcept>
#include <vector>

#include "model/cut.h"
#include "model/torch_error.h"

namespace funcpipe {
namespace {

using namespace torch::jit;  // NOLINT: this file is about its types

bool is_autocast(const Value* value) {
  const auto type = value->type()->cast<c10::ClassType>();
  if (!type || !type->name()) return false;
  // The class is torch.amp.autocast_mode.autocast; its name may be mangled.
  const auto name = type->name()->qualifiedName();
  return name.find(".autocast_mode.") != std::string::npos && name.ends_with(".autocast");
}

std::vector<Node*> autocast_blocks(Graph& graph) {
  std::vector<Node*> made;
  for (Node* top : graph.nodes()) {
    visit_nested(top, [&](Node* node) {
      for (const Value* output : node->outputs())
        if (node->kind() == prim::CreateObject && is_autocast(output)) made.push_back(node);
    });
  }
  return made;
}

}  // namespace

void apply_autocast(std::shared_ptr<Graph>& graph) {
  if (autocast_blocks(*graph).empty()) return;
  ConstantPropagation(graph);  // makes the blocks' arguments constants
  const bool before = setAutocastMode(true);
  try {
    Autocast(graph);
  } catch (const std::exception& error) {
    setAutocastMode(before);
    const std::string said = first_lines(error);
    throw std::invalid_argument("its torch.autocast block is not supported" +
                                (said.find("INTERNAL ASSERT") == std::string::npos ? ": " + said : ""));
  }
  setAutocastMode(before);
  for (Node* block : autocast_blocks(*graph)) {
    while (block->output()->hasUses()) {
      Node* use = block->output()->uses().front().user;  // prim::Enter, prim::Exit, prim::SetAttr
      for (const Value* output : use->outputs())
        if (output->hasUses()) throw std::invalid_argument("the value of a torch.autocast block is used in forward");
      use->destroy();
    }
    block->destroy();
  }
}

}  // namespace funcpipe
