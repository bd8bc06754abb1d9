// Makes inputs to measure a layer with, of the types and shapes that a description gives.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "profile/model_description.h"

namespace funcpipe {

// If a description gives values, they are used. Otherwise floating-point tensors have normal draws from `seed`,
// integers uniform draws from [0, range) or zeros if range is 0, booleans false. If an index is outside of the model's
// tables, the model raises.
std::vector<at::Tensor> sample_tensors(const std::vector<TensorSpec>& specs, std::uint64_t seed,
                                       std::int64_t range = 0);

}  // namespace funcpipe
