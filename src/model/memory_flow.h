// Finds which values of a graph lie in the memory of a module's tensors (slots), and which nodes write there.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace funcpipe {

using Slots = std::set<int>;
inline constexpr int kConstantMemory = -1;  // stands, among slots, for all constants of the graph

// True if input `index` of a normalisation in training mode is a statistic that it updates, or its rate. The schema
// does not say that it writes to them.
bool updates_statistic(const torch::jit::Node* node, std::size_t index);

// It is conservative: it may say that a value lies in a slot's memory although it does not.
class MemoryFlow {
 public:
  // `slot_of` maps the graph's inputs to slots. `state` is the object of assigned slots (nullptr if there are none),
  // and `assigned` maps its attributes to slots. Keeps a reference to the graph.
  MemoryFlow(torch::jit::Graph& graph, std::unordered_map<const torch::jit::Value*, int> slot_of,
             const torch::jit::Value* state, std::map<std::string, int> assigned);

  // The slots in whose memory the value may lie when the node that makes it is done.
  const Slots& of(const torch::jit::Value* value) const;
  // The slots to which the value, and so its memory, was assigned.
  const Slots& given(const torch::jit::Value* value) const;

  // True if no other value ever lies in the slot's memory, although the slot is assigned.
  bool owns_memory(int slot) const;

  // For a single node without its blocks: the slots it writes to, and the slots it reads, writes or passes on.
  Slots written_by(const torch::jit::Node* node) const;
  Slots touched_by(const torch::jit::Node* node) const;

  // The slot that `node` reads or writes as an attribute; -1: none.
  int assigned(const torch::jit::Node* node) const;

 private:
  void add(const torch::jit::Value* value, const Slots& slots);
  void follow(torch::jit::Block* block);
  void follow(torch::jit::Node* node);
  void follow_operation(torch::jit::Node* node);
  void give(const torch::jit::Value* value, int slot);

  const torch::jit::Value* state_;
  std::map<std::string, int> assigned_;
  std::unordered_map<const torch::jit::Value*, Slots> lies_in_, given_;
  bool changed_ = false;
};

}  // namespace funcpipe
