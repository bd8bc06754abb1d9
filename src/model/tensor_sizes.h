// Measures the tensors that a model makes at its micro-batch size, in one forward pass in training mode.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <vector>

#include "model/cut.h"

namespace funcpipe {

struct TensorSizes {
  MeasuredTensors tensors;                      // of every border and of the outputs
  std::set<const torch::jit::Value*> immobile;  // values at borders that cannot be sent (can_travel)
  // Bytes of tensors made between neighbouring candidates: [i] is before candidate i, the last after all of them.
  std::vector<Bytes> activation_bytes;
  // A slot in which forward left a gradient graph, which the next micro-batch's backward pass would enter; -1: none.
  int graph_in_state = -1;
};

// Runs the spans between neighbouring candidates one after the other and frees each before the next, so that memory
// stays near the largest span's, however deep the model. `data`: the data inputs; they and the module's tensors are
// left as they were. Throws what the model throws.
TensorSizes measure_sizes(const FlatModel& model, const std::vector<Border>& candidates,
                          const std::vector<at::Tensor>& data);

// Makes inputs where there are no data: zeros for integers, normal draws for floats, of the given types and shapes.
std::vector<at::Tensor> invented_inputs(const std::vector<TensorSpec>& inputs);

}  // namespace funcpipe
