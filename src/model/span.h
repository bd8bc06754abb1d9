// The graph of a span of nodes alone, cloned out of the flattened model.
#pragma once

#include <vector>

#include "model/flat_model.h"

namespace funcpipe {

// Inputs of `graph` in order: the border before, the data inputs read, `training`, the model's `state` if it reads or
// assigns a slot there, the other slots used. What is live at a border comes and goes as the tensors that stand for it
// (model/border_values.h), so every input but `training` and `state` and every output is a tensor.
struct SpanGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  std::size_t border_inputs = 0;  // tensors
  std::vector<int> data_inputs;   // ascending
  std::vector<int> assigned;      // slots in `state`, ascending
  std::vector<int> slots;         // the others, ascending

  std::vector<int> all_slots() const;  // ascending
};

// Nodes [begin, end) with `inputs` live before and `outputs` wanted after; an input may also be an output.
SpanGraph span_graph(const FlatModel& model, int begin, int end, const std::vector<torch::jit::Value*>& inputs,
                     const std::vector<torch::jit::Value*>& outputs);

}  // namespace funcpipe
