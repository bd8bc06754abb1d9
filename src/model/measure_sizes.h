// What tensors a model makes at its micro-batch size, found by one training forward pass.
#pragma once

#include <vector>

#include "model/cut.h"

namespace funcpipe {

struct MeasuredSizes {
  MeasuredTensors tensors;              // of every border and of the outputs
  std::vector<Bytes> activation_bytes;  // made between neighbouring candidates: [i] before candidate i, last: after all
};

// Runs the spans between neighbouring candidates one after the other and frees each before the next, so that memory
// stays near the largest span's, however deep the model. Inputs are zeros (integers) or normal draws (floats); the
// module's buffers are left as they were. Throws what the model throws.
MeasuredSizes measure_sizes(const FlatModel& model, const std::vector<Border>& candidates,
                            const std::vector<TensorSpec>& inputs);

}  // namespace funcpipe
