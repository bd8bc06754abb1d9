// Copies the graph of a span of nodes out of the flattened model.
#pragma once

#include <vector>

#include "model/flat_model.h"

namespace funcpipe {

// The inputs of `graph` are, in order: the tensors of the border before, the data inputs it reads, `training`, the
// model's `state` if the span reads or assigns such a slot, and the other slots it uses. A value that is live at a
// border is replaced by the tensors that stand for it (model/border_values.h), so all inputs but `training` and `state`
// and all outputs are tensors.
struct SpanGraph {
  std::shared_ptr<torch::jit::Graph> graph;
  std::size_t border_inputs = 0;  // a number of tensors
  std::vector<int> data_inputs;   // ascending
  std::vector<int> assigned;      // slots in `state`, ascending
  std::vector<int> slots;         // the other slots, ascending

  std::vector<int> all_slots() const;  // ascending
};

// Copies nodes [begin, end). `inputs` are live before them and `outputs` are wanted after them; a value may be both.
SpanGraph span_graph(const FlatModel& model, int begin, int end, const std::vector<torch::jit::Value*>& inputs,
                     const std::vector<torch::jit::Value*>& outputs);

}  // namespace funcpipe
