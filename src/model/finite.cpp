#include "model/finite.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/isinf.h>
#include <ATen/ops/isnan.h>

#include <limits>

namespace funcpipe {

bool has_gone_wrong(const at::Tensor& tensor) {
  if (!tensor.defined() || (!at::isFloatingType(tensor.scalar_type()) && !at::isComplexType(tensor.scalar_type())))
    return false;
  const at::NoGradGuard no_gradients;
  const at::Tensor values = tensor.detach();
  if (at::isfinite(values).all().item<bool>()) return false;
  if (at::isnan(values).any().item<bool>()) return true;
  if (tensor.requires_grad() || at::isComplexType(values.scalar_type())) return true;
  return values.eq(std::numeric_limits<double>::infinity()).any().item<bool>();
}

std::optional<std::size_t> first_gone_wrong(const std::vector<at::Tensor>& tensors) {
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (has_gone_wrong(tensors[i])) return i;
  return std::nullopt;
}

}  // namespace funcpipe
