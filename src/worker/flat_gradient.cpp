#include "worker/flat_gradient.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cmath>

#include "base/check.h"

namespace funcpipe {
namespace {

bool is_mark(float value) {
  return value == 0 && std::signbit(value);
}

}  // namespace

FlatGradient::FlatGradient(const std::vector<at::Tensor>& parameters) {
  std::int64_t total = 0;
  for (const at::Tensor& parameter : parameters) total += parameter.numel();
  buffer_ = at::empty({total}, at::kFloat);
  parts_.reserve(parameters.size());
  std::int64_t first = 0;
  for (const at::Tensor& parameter : parameters) {
    FUNCPIPE_CHECK(parameter.is_non_overlapping_and_dense() && parameter.scalar_type() == at::kFloat,
                   "parameter {} of the stage", &parameter - parameters.data());
    // variable_data: a version counter of its own; views of one tensor share theirs.
    const at::Tensor view = buffer_.as_strided(parameter.sizes(), parameter.strides(), first).variable_data();
    parts_.push_back({.parameter = parameter, .view = view, .first = first});
    first += parameter.numel();
  }
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

float* FlatGradient::first_element(const Part& part) {
  return buffer_.data_ptr<float>() + part.first;
}

void FlatGradient::note_reached() {
  for (Part& part : parts_) {
    if (part.reached || part.view._version() == part.version || part.view.numel() == 0) continue;
    part.reached = true;
    if (is_mark(*first_element(part))) *first_element(part) = 0;
  }
}

void FlatGradient::withdraw_unreached() {
  for (const Part& part : parts_)
    if (part.view.numel() == 0 || is_mark(*first_element(part))) part.parameter.mutable_grad().reset();
}

void FlatGradient::clear() {
  buffer_.fill_(-0.0);
  for (Part& part : parts_) {
    part.parameter.mutable_grad() = part.view;
    part.version = part.view._version();
    part.reached = false;
  }
}

}  // namespace funcpipe
