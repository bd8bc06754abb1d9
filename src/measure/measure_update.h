#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

#include "base/units.h"

namespace funcpipe {

// Makes, for parameters, the step of an optimiser that updates them from their gradients.
using MakeStep = std::function<std::function<void()>(std::vector<at::Tensor> parameters)>;

// CPU seconds of this thread, or wall seconds, of a step, per byte of parameters; over `bytes` of them in several
// tensors. Takes up to seven times as much memory.
Seconds update_seconds_per_byte(const MakeStep& make_step, Bytes bytes, bool by_wall);

}  // namespace funcpipe
