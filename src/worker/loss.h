#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

struct LossResult {
  at::Tensor mean;               // over the micro-batch, differentiable
  std::int64_t correct = 0;      // cross-entropy: predictions equal to the target
  std::int64_t predictions = 0;  // cross-entropy: how many there were
};

// `settings.loss`: cross-entropy (outputs[0] has one axis, `settings.class_axis`, more than the target, which is of any
// integer type), mse (outputs[0] against a target of the same shape as float) or model (outputs[0] is the loss: one
// number; a vector is averaged). Errors: invalid_input if the shapes do not fit.
Result<LossResult> compute_loss(const JobConfig::Model& settings, const std::vector<at::Tensor>& outputs,
                                const at::Tensor& target);

}  // namespace funcpipe
