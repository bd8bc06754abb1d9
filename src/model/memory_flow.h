// Which values of a graph lie in the memory of a module's tensors (slots), and which nodes write there.
#pragma once

#include <torch/csrc/jit/ir/ir.h>

#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace funcpipe {

using Slots = std::set<int>;
inline constexpr int kConstantMemory = -1;  // stands among slots for all constants of the graph

// Whether input `index` of a normalisation that trains is a statistic that it updates, or how fast it does: schemas do
// not say that these are written to.
bool updates_statistic(const torch::jit::Node* node, std::size_t index);

// Conservative: a value may be said to lie where it does not.
class MemoryFlow {
 public:
  // `slot_of`: the graph's inputs that are slots. `state`: the object of assigned slots, nullptr if there are none;
  // `assigned`: these by its attributes. Keeps a reference to the graph.
  MemoryFlow(torch::jit::Graph& graph, std::unordered_map<const torch::jit::Value*, int> slot_of,
             const torch::jit::Value* state, std::map<std::string, int> assigned);

  // The slots in whose memory the value may lie when the node that makes it is done.
  const Slots& of(const torch::jit::Value* value) const;
  // The slots that were given the memory of the value by an assignment.
  const Slots& given(const torch::jit::Value* value) const;

  // Whether no value but the slot's own ever lies in its memory, although it is assigned.
  bool owns_memory(int slot) const;

  // Of a single node, without those in its blocks: slots it writes to, and those it reads, writes or hands on.
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
