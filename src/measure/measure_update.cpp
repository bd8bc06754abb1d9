#include "measure/measure_update.h"

#include <ATen/ops/full_like.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "base/clock.h"

namespace funcpipe {

Seconds update_seconds_per_byte(const MakeStep& make_step, Bytes bytes, bool by_wall) {
  constexpr int kTensors = 4, kSteps = 7;
  const std::int64_t elements = std::max<Bytes>(1, bytes / kTensors / static_cast<Bytes>(sizeof(float)));
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < kTensors; ++i) {
    at::Tensor parameter = at::zeros({elements});
    parameter.requires_grad_(true);
    parameter.mutable_grad() = at::full_like(parameter.detach(), 0.5);
    parameters.push_back(std::move(parameter));
  }
  const auto step = make_step(parameters);
  const SystemClock wall;
  const auto now = [&] { return by_wall ? wall.now() : thread_cpu_time(); };
  step();  // makes the optimiser's state
  std::vector<Seconds> times;
  for (int i = 0; i < kSteps; ++i) {
    const Seconds start = now();
    step();
    times.push_back(now() - start);
  }
  std::nth_element(times.begin(), times.begin() + kSteps / 2, times.end());
  return times[kSteps / 2] / static_cast<double>(kTensors * elements * static_cast<Bytes>(sizeof(float)));
}

}  // namespace funcpipe
