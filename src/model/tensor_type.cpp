#include "model/tensor_type.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <utility>

namespace funcpipe {
namespace {

using Pair = std::pair<std::string_view, at::ScalarType>;
constexpr std::array<Pair, 12> kTypes{{{"float32", at::kFloat},
                                       {"float64", at::kDouble},
                                       {"float16", at::kHalf},
                                       {"bfloat16", at::kBFloat16},
                                       {"int64", at::kLong},
                                       {"int32", at::kInt},
                                       {"int16", at::kShort},
                                       {"int8", at::kChar},
                                       {"uint8", at::kByte},
                                       {"bool", at::kBool},
                                       {"complex64", at::kComplexFloat},
                                       {"complex128", at::kComplexDouble}}};

}  // namespace

std::string dtype_name(at::ScalarType type) {
  for (const auto& [name, value] : kTypes) {
    if (value == type) return std::string(name);
  }
  return c10::toString(type);
}

std::optional<at::ScalarType> dtype_from_name(const std::string& name) {
  for (const auto& [known, value] : kTypes) {
    if (known == name) return value;
  }
  return {};
}

bool can_travel(const at::Tensor& tensor) {
  return tensor.defined() && tensor.layout() == at::kStrided && tensor.device().is_cpu() && !tensor.is_quantized() &&
         std::any_of(kTypes.begin(), kTypes.end(),
                     [&](const Pair& type) { return type.second == tensor.scalar_type(); });
}

TensorSpec spec_of(const at::Tensor& tensor) {
  return {dtype_name(tensor.scalar_type()), tensor.sizes().vec(), tensor.requires_grad()};
}

std::string to_string(const TensorSpec& spec) {
  return fmt::format("{}[{}]", spec.dtype, fmt::join(spec.shape, ", "));
}

}  // namespace funcpipe
