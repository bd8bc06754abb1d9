#include "profile/profile.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/check.h"

namespace funcpipe {
namespace {

// The line through the figures of two micro-batch sizes, evaluated at a third. `low` = 0 stands for zero samples, at
// which all figures are zero.
struct Line {
  double low = 0, high = 0;  // Micro-batch sizes in samples.
  double at = 0;

  double operator()(double low_value, double high_value) const {
    return std::max(0.0, low_value + (high_value - low_value) * (at - low) / (high - low));
  }
  Bytes operator()(Bytes low_value, Bytes high_value) const {
    return std::llround((*this)(static_cast<double>(low_value), static_cast<double>(high_value)));
  }
};

LayerTime on_line(const LayerTime& low, const LayerTime& high, const Line& line) {
  return {.fits = true,
          .forward = line(low.forward, high.forward),
          .backward = line(low.backward, high.backward),
          .forward_spread = line(low.forward_spread, high.forward_spread),
          .backward_spread = line(low.backward_spread, high.backward_spread),
          .warm_up = line(low.warm_up, high.warm_up)};
}

LayerSizes on_line(const LayerSizes& low, const LayerSizes& high, const Line& line) {
  return {.activations = line(low.activations, high.activations),
          .working = line(low.working, high.working),
          .border = line(low.border, high.border),
          .border_gradient = line(low.border_gradient, high.border_gradient)};
}

}  // namespace

Bytes Profile::trainable_bytes(int first_layer, int end_layer) const {
  Bytes bytes = 0;
  for (const int index : model.parameters_of(first_layer, end_layer)) {
    const ParameterDescription& parameter = model.parameters[static_cast<std::size_t>(index)];
    if (parameter.trainable) bytes += parameter.bytes();
  }
  return bytes;
}

MicroBatchProfile at_micro_batch(const Profile& profile, int micro_batch) {
  FUNCPIPE_CHECK(!profile.micro_batches.empty() && micro_batch > 0, "{} micro-batches measured, {} samples wanted",
                 profile.micro_batches.size(), micro_batch);
  const auto& measured = profile.micro_batches;
  const auto next = std::ranges::lower_bound(measured, micro_batch, {}, &MicroBatchProfile::micro_batch);
  if (next != measured.end() && next->micro_batch == micro_batch) return *next;

  // `lower` and `upper` span the line. `judge` says which layers fit: the next larger size, or the largest.
  const std::ptrdiff_t count = std::ssize(measured);
  const std::ptrdiff_t high = std::min(std::max<std::ptrdiff_t>(next - measured.begin(), 1), count - 1);
  const MicroBatchProfile nothing{0, std::vector<LayerSizes>(measured.front().sizes.size()), {}};
  const MicroBatchProfile& upper = measured[static_cast<std::size_t>(count == 1 ? 0 : high)];
  const MicroBatchProfile& lower = count == 1 ? nothing : measured[static_cast<std::size_t>(high - 1)];
  const MicroBatchProfile& judge = next == measured.end() ? measured.back() : *next;
  const auto line_through = [&](double low, double up) { return Line{low, up, static_cast<double>(micro_batch)}; };

  MicroBatchProfile result{micro_batch, {}, {}};
  for (std::size_t layer = 0; layer < upper.sizes.size(); ++layer)
    result.sizes.push_back(
        on_line(lower.sizes[layer], upper.sizes[layer], line_through(lower.micro_batch, upper.micro_batch)));
  for (std::size_t option = 0; option < upper.times.size(); ++option) {
    std::vector<LayerTime>& row = result.times.emplace_back(upper.sizes.size());
    for (std::size_t layer = 0; layer < row.size(); ++layer) {
      const LayerTime* low = lower.times.empty() ? nullptr : &lower.times[option][layer];
      const LayerTime* up = &upper.times[option][layer];
      if (!judge.times[option][layer].fits) {
        row[layer].fits = false;
      } else if (low && low->fits && up->fits) {
        row[layer] = on_line(*low, *up, line_through(lower.micro_batch, upper.micro_batch));
      } else {
        const bool use_upper = !low || up->fits;
        row[layer] =
            on_line({}, use_upper ? *up : *low, line_through(0, use_upper ? upper.micro_batch : lower.micro_batch));
      }
    }
  }
  return result;
}

}  // namespace funcpipe
