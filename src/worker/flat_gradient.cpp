#include "worker/flat_gradient.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>
#include <span>

#include "base/check.h"

namespace funcpipe {

FlatGradient::FlatGradient(const std::vector<at::Tensor>& parameters) {
  std::int64_t total = 0;
  for (const at::Tensor& parameter : parameters) total += parameter.numel();
  buffer_ = at::empty({total}, at::kFloat);
  parts_.reserve(parameters.size());
  std::int64_t first = 0;
  for (const at::Tensor& parameter : parameters) {
    FUNCPIPE_CHECK(parameter.is_non_overlapping_and_dense() && parameter.scalar_type() == at::kFloat,
                   "parameter {} of the stage", &parameter - parameters.data());
    // variable_data gives each view a version counter of its own; otherwise all views of one tensor share one.
    const at::Tensor view = buffer_.as_strided(parameter.sizes(), parameter.strides(), first).variable_data();
    parts_.push_back({.parameter = parameter, .view = view, .first = first});
    first += parameter.numel();
  }
  reached_.resize(parts_.size());
  clear();
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

MutableBytes FlatGradient::reached(const Slice& slice) {
  const auto begin = std::ranges::lower_bound(parts_, slice.first, {}, &Part::first);
  const auto end = std::ranges::lower_bound(begin, parts_.end(), slice.first + slice.elements, {}, &Part::first);
  return std::span(reached_).subspan(static_cast<std::size_t>(begin - parts_.begin()),
                                     static_cast<std::size_t>(end - begin));
}

// A parameter without elements is never reached.
void FlatGradient::note_reached() {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (parts_[i].view.numel() > 0 && parts_[i].view._version() != parts_[i].version) reached_[i] = std::byte{1};
}

void FlatGradient::withdraw_unreached() {
  for (std::size_t i = 0; i < parts_.size(); ++i)
    if (reached_[i] == std::byte{0}) parts_[i].parameter.mutable_grad().reset();
}

void FlatGradient::clear() {
  buffer_.fill_(-0.0);
  for (Part& part : parts_) {
    part.parameter.mutable_grad() = part.view;
    part.version = part.view._version();
  }
  std::ranges::fill(reached_, std::byte{0});
}

}  // namespace funcpipe
