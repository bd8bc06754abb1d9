// Converts between the type names of TensorSpec and libtorch's types.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>

#include "profile/model_description.h"

namespace funcpipe {

std::string dtype_name(at::ScalarType type);  // for example "float32"; libtorch's own name if there is no short one
std::optional<at::ScalarType> dtype_from_name(const std::string& name);

// True if the tensor can be sent between stages: it is dense, on the CPU, of a type with a name, and not quantised.
bool can_travel(const at::Tensor& tensor);

TensorSpec spec_of(const at::Tensor& tensor);
std::string to_string(const TensorSpec& spec);  // for example "float32[4, 3, 224, 224]"

}  // namespace funcpipe
