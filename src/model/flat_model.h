// A TorchScript module flattened into one graph: calls inlined, attributes resolved, in-place operations made pure
// where that is provably the same. Its inputs are, in order: the data inputs, `training` (bool), and one tensor per
// slot.
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

// A parameter or buffer of the module; tied ones (same memory) are one slot.
struct TensorSlot {
  enum class Kind { parameter, buffer };
  Kind kind = Kind::parameter;
  std::string name;   // in the state dict; of tied ones the first
  at::Tensor tensor;  // the module's own
  torch::jit::Value* value = nullptr;
  bool changes = false;  // a buffer that forward may write to
};

struct FlatModel {
  std::shared_ptr<torch::jit::Graph> graph;
  std::size_t data_inputs = 0;
  torch::jit::Value* training = nullptr;
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
};

// `output`: which of the outputs of forward the graph gives, a key of its dictionary, a name or number of its tuple;
// empty: the first. Others are not computed unless that changes a buffer.
// Errors: invalid_input for what cannot be flattened (module objects in lists, attributes assigned in forward, outputs
// that are no tensors, other than `data_inputs` tensors wanted).
Result<FlatModel> flatten(const torch::jit::Module& module, std::size_t data_inputs, const std::string& output = {});

// The dotted path of the submodule that `node` came from; empty for the root's own forward.
std::string module_path(torch::jit::Node* node);

// Where the model's source has `node`: `before` and "model.py line 12"; empty if unknown.
std::string source_line(const torch::jit::Node* node, const std::string& before = ", ");

}  // namespace funcpipe
