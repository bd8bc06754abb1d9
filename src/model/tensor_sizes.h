// What tensors a model makes at its micro-batch size, found by one training forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <set>
#include <vector>

#include "model/cut.h"

namespace funcpipe {

struct TensorSizes {
  MeasuredTensors tensors;                      // of every border and of the outputs
  std::set<const torch::jit::Value*> immobile;  // of the borders' tensors: those that cannot be sent (can_travel)
  std::vector<Bytes> activation_bytes;  // made between neighbouring candidates: [i] before candidate i, last: after all
  // A slot that forward left with a gradient graph, which the next micro-batch's backward would enter; -1: none.
  int graph_in_state = -1;
};

// Runs the spans between neighbouring candidates one after the other and frees each before the next, so that memory
// stays near the largest span's, however deep the model. `data`: the data inputs; they and the module's tensors are
// left as they were. Throws what the model throws.
TensorSizes measure_sizes(const FlatModel& model, const std::vector<Border>& candidates,
                            const std::vector<at::Tensor>& data);

// Where there is no data: zeros (integers) or normal draws (floats) of the given types and shapes.
std::vector<at::Tensor> invented_inputs(const std::vector<TensorSpec>& inputs);

}  // namespace funcpipe
