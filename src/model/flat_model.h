// A TorchScript module flattened into one graph: calls inlined, attributes resolved, in-place operations made pure
// where that is provably the same. Its inputs are, in order: the data inputs, `training` (bool), `state` if any slot is
// assigned, and one tensor per other slot.
//
// Every `training` attribute that agrees with the root module's becomes the one `training` input, so train and eval
// mode share their cuts; a submodule that disagrees stays as it is (frozen). A traced module has its mode baked in.
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/error.h"

namespace funcpipe {

// A parameter or buffer of the module; tied ones (in the same memory, model/shared_memory.h) are one slot.
struct TensorSlot {
  enum class Kind { parameter, buffer };
  Kind kind = Kind::parameter;
  std::string name;                    // in the state dict; of tied ones the first
  at::Tensor tensor;                   // in the module's own memory
  torch::jit::Value* value = nullptr;  // nullptr: assigned
  // Forward gives the name another tensor (`self.h = ...`): the graph reads and writes it as the attribute
  // `state_attribute` of FlatModel::state. `holder` is the module's object that has it as `attribute`.
  bool assigned = false;
  std::string state_attribute;
  bool owns_memory = true;  // no other value lies in what it is assigned
  c10::IValue holder;
  std::string attribute;

  // What forward does with it (model/slot_state.h).
  bool changes = false;     // writes to it, when training or not
  bool feeds_loss = false;  // changes it, and what training computes depends on it
  int first_use = 0;        // of one that changes: positions of the first and last nodes that touch its memory
  int last_use = 0;
};

struct FlatModel {
  std::shared_ptr<torch::jit::Graph> graph;
  std::size_t data_inputs = 0;
  torch::jit::Value* training = nullptr;
  torch::jit::Value* state = nullptr;  // object; nullptr: no slot is assigned
  std::vector<TensorSlot> slots;
  std::vector<torch::jit::Node*> nodes;  // top level, in order, without those free to copy
  std::unordered_map<const torch::jit::Value*, int> slot_of;
  std::unordered_set<const torch::jit::Node*> remade;  // of `nodes`

  // Made anew wherever it is used, so never sent: constants, and the placeholders of branches that raise...
  static bool free_to_copy(const torch::jit::Node* node) {
    return node->kind() == torch::jit::prim::Constant || node->kind() == torch::jit::prim::Uninitialized;
  }
  // ... lists, tuples and dictionaries that nothing changes (what they hold may be sent), and numbers that follow from
  // constants and `training` alone.
  bool made_anew(const torch::jit::Node* node) const { return free_to_copy(node) || remade.contains(node); }
  torch::jit::Value* data_input(std::size_t index) const { return graph->inputs()[index]; }
  // The slot that `node` reads or writes as an attribute of `state`; -1: none.
  int assigned_slot(const torch::jit::Node* node) const;
};

// `output`: which of the outputs of forward the graph gives, a key of its dictionary, a name or number of its tuple;
// empty: the first. Others are not computed unless that changes a buffer.
// Errors: invalid_input for what cannot be flattened (module objects in lists, attributes other than buffers assigned
// in forward, memory shared in part, outputs that are no tensors, other than `data_inputs` tensors wanted).
Result<FlatModel> flatten(const torch::jit::Module& module, std::size_t data_inputs, const std::string& output = {});

// Calls `visit` for `node` and every node in its blocks.
template <class Visit>
void visit_nested(torch::jit::Node* node, const Visit& visit) {
  visit(node);
  for (auto* block : node->blocks()) {
    for (auto* inner : block->nodes()) visit_nested(inner, visit);
    visit(block->return_node());
  }
}

}  // namespace funcpipe
