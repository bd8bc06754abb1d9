#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "base/units.h"

namespace funcpipe {

// Makes, for some parameters, the step of an optimiser that updates them from their gradients.
using MakeStep = std::function<std::function<void()>(std::vector<at::Tensor> parameters)>;

// Returns the seconds of a step per byte of parameters: CPU seconds of this thread or wall seconds. It updates `bytes`
// of parameters in several tensors and uses up to seven times as much memory.
Seconds update_seconds_per_byte(const MakeStep& make_step, Bytes bytes, bool by_wall);

}  // namespace funcpipe
