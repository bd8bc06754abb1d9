// TensorSpec's type names against libtorch's.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "profile/model_description.h"

namespace funcpipe {

std::string dtype_name(at::ScalarType type);  // "float32"; libtorch's own name if it has no short one
std::optional<at::ScalarType> dtype_from_name(const std::string& name);

// Whether the tensor is one that travels between stages: dense, on the CPU and of a type with a name; not sparse, not
// quantised.
bool can_travel(const at::Tensor& tensor);

TensorSpec spec_of(const at::Tensor& tensor);
std::string to_string(const TensorSpec& spec);  // "float32[4, 3, 224, 224]"

}  // namespace funcpipe
