#include "worker/flat_gradient.h"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/zeros.h>

#include "base/check.h"

namespace funcpipe {

FlatGradient::FlatGradient(const std::vector<at::Tensor>& parameters) {
  std::int64_t total = 0;
  for (const at::Tensor& parameter : parameters) total += parameter.numel();
  buffer_ = at::zeros({total}, at::kFloat);
  std::int64_t first = 0;
  for (const at::Tensor& parameter : parameters) {
    FUNCPIPE_CHECK(parameter.is_contiguous() && parameter.scalar_type() == at::kFloat, "parameter {} of the stage",
                   &parameter - parameters.data());
    parameter.mutable_grad() = buffer_.narrow(0, first, parameter.numel()).view(parameter.sizes());
    first += parameter.numel();
  }
}

std::int64_t FlatGradient::elements() const {
  return buffer_.numel();
}

MutableBytes FlatGradient::bytes(const Slice& slice) {
  FUNCPIPE_CHECK(slice.first >= 0 && slice.elements >= 0 && slice.first + slice.elements <= buffer_.numel(),
                 "slice {}+{} of {}", slice.first, slice.elements, buffer_.numel());
  return std::as_writable_bytes(
      std::span(buffer_.data_ptr<float>() + slice.first, static_cast<std::size_t>(slice.elements)));
}

void FlatGradient::add(const Slice& slice, ConstBytes staged) {
  const MutableBytes target = bytes(slice);
  FUNCPIPE_CHECK(target.size() == staged.size(), "slice of {} bytes, staged {}", target.size(), staged.size());
  const at::Tensor term = at::from_blob(const_cast<std::byte*>(staged.data()), {slice.elements}, at::kFloat);
  buffer_.narrow(0, slice.first, slice.elements).add_(term);
}

void FlatGradient::zero() {
  buffer_.zero_();
}

}  // namespace funcpipe
