#include "measure/sample_tensors.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/check.h"
#include "model/tensor_type.h"

namespace funcpipe {

std::vector<at::Tensor> sample_tensors(const std::vector<TensorSpec>& specs, std::uint64_t seed, std::int64_t range) {
  auto generator = at::detail::createCPUGenerator(seed);
  std::vector<at::Tensor> tensors;
  for (const TensorSpec& spec : specs) {
    const auto type = dtype_from_name(spec.dtype);
    FUNCPIPE_CHECK(type.has_value(), "unknown type {}", spec.dtype);
    if (!spec.values.empty()) {
      tensors.push_back(at::tensor(spec.values, at::kDouble).to(*type).reshape(spec.shape));
    } else if (at::isFloatingType(*type)) {
      tensors.push_back(at::empty(spec.shape, *type).normal_(0, 1, generator));
    } else if (range > 0 && at::isIntegralType(*type, /*includeBool=*/false)) {
      const std::int64_t most = spec.dtype == "uint8" || spec.dtype == "int8"
                                    ? 128
                                    : 32768;  // integer types of that size hold all numbers below
      tensors.push_back(at::empty(spec.shape, *type).random_(0, std::min(range, most), generator));
    } else {
      tensors.push_back(at::zeros(spec.shape, *type));
    }
  }
  return tensors;
}

}  // namespace funcpipe
