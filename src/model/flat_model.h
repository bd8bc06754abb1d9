// A TorchScript module flattened into one graph: calls are inlined, attributes resolved, and in-place operations made
// to return new tensors where that provably changes nothing. The graph's inputs are, in order: the data inputs,
// `training` (bool), `state` if any slot is assigned, and one tensor for each other slot.
//
// All `training` attributes that agree with the root module's become the one input `training`, so training and
// evaluation share their cuts. A submodule that disagrees (a frozen one) keeps its own value. A traced module has its
// mode fixed.
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

// A parameter or buffer of the module. Tied ones, which share memory (model/shared_memory.h), are one slot.
struct TensorSlot {
  enum class Kind { parameter, buffer };
  Kind kind = Kind::parameter;
  std::string name;                    // in the state dict; if tied, the first of the names
  at::Tensor tensor;                   // uses the module's own memory
  torch::jit::Value* value = nullptr;  // nullptr if it is assigned
  // Forward assigns another tensor to the name (`self.h = ...`). The graph then reads and writes the slot as the
  // attribute `state_attribute` of FlatModel::state. `holder` is the module's object that has it as `attribute`.
  bool assigned = false;
  std::string state_attribute;
  bool owns_memory = true;  // no other value lies in the memory of the tensor it is assigned
  c10::IValue holder;
  std::string attribute;

  // What forward does with the slot (model/slot_state.h).
  bool changes = false;     // forward writes to it, in training or in evaluation
  bool feeds_loss = false;  // forward changes it, and what training computes depends on it
  int first_use = 0;        // if it changes: positions of the first and last nodes that use its memory
  int last_use = 0;
};

struct FlatModel {
  std::shared_ptr<torch::jit::Graph> graph;
  std::size_t data_inputs = 0;
  torch::jit::Value* training = nullptr;
  torch::jit::Value* state = nullptr;  // an object; nullptr: no slot is assigned
  std::vector<TensorSlot> slots;
  std::vector<torch::jit::Node*> nodes;  // top-level nodes in order, without constants and the like
  std::unordered_map<const torch::jit::Value*, int> slot_of;
  std::unordered_set<const torch::jit::Node*> remade;  // some of `nodes`

  // True for nodes that each stage makes anew, so that their values are never sent: constants, and placeholders for
  // values that a raising branch does not give.
  static bool free_to_copy(const torch::jit::Node* node) {
    return node->kind() == torch::jit::prim::Constant || node->kind() == torch::jit::prim::Uninitialized;
  }
  // True also for lists, tuples and dictionaries that nothing changes (their content may be sent), and for numbers that
  // follow from constants and `training` alone.
  bool made_anew(const torch::jit::Node* node) const { return free_to_copy(node) || remade.contains(node); }
  torch::jit::Value* data_input(std::size_t index) const { return graph->inputs()[index]; }
  // Returns the slot that `node` reads or writes as an attribute of `state`; -1: none.
  int assigned_slot(const torch::jit::Node* node) const;
};

// Flattens a module. `output` names which output of forward the graph returns: a key of its dictionary, or a name or
// number of its tuple; empty: the first. The others are not computed unless that changes a buffer. Errors:
// invalid_input for what cannot be flattened: module objects in lists, attributes other than buffers assigned in
// forward, memory shared in part, outputs that are no tensors, or a forward that does not take `data_inputs` tensors.
Result<FlatModel> flatten(const torch::jit::Module& module, std::size_t data_inputs, const std::string& output = {});

// Calls `visit` for `node` and for every node in its blocks.
template <class Visit>
void visit_nested(torch::jit::Node* node, const Visit& visit) {
  visit(node);
  for (auto* block : node->blocks()) {
    for (auto* inner : block->nodes()) visit_nested(inner, visit);
    visit(block->return_node());
  }
}

}  // namespace funcpipe
