// Inputs to measure a layer with, of the types and shapes a description gives.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "profile/model_description.h"

namespace funcpipe {

// The values that a description gives; otherwise, floating point: normal draws from `seed`. Integers: uniform draws
// from [0, range), zeros if range is 0; a range that the model's tables do not have makes the model raise. Booleans:
// false.
std::vector<at::Tensor> sample_tensors(const std::vector<TensorSpec>& specs, std::uint64_t seed,
                                       std::int64_t range = 0);

}  // namespace funcpipe
