#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

struct LossResult {
  at::Tensor mean;               // mean over the micro-batch, differentiable
  std::int64_t correct = 0;      // cross-entropy only: how many predictions equal the target
  std::int64_t predictions = 0;  // cross-entropy only: how many predictions there were
};

// Computes the loss that `settings.loss` names. cross-entropy: outputs[0] has one axis more than the target, namely
// `settings.class_axis`; the target is of any integer type. mse: outputs[0] and the target have the same shape; the
// target is taken as float. model: outputs[0] is the loss, either one number or a vector that is averaged. Errors:
// invalid_input if the shapes do not fit.
Result<LossResult> compute_loss(const JobConfig::Model& settings, const std::vector<at::Tensor>& outputs,
                                const at::Tensor& target);

}  // namespace funcpipe
