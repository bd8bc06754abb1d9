#pragma once

#include <cstdint>

#include "config/job_config.h"

namespace funcpipe {

// Returns the learning rate of step `step` (from 0) of `steps`. It depends on its arguments alone, so all workers
// agree. Warm-up: of w = `warmup_steps`, step s has (s+1)/(w+1) of the rate, and step w has all of it. Cosine: half a
// cosine wave over the remaining steps, from the whole rate down to `min_lr_factor` of it, which step `steps` would
// have (Loshchilov and Hutter, SGDR, ICLR 2017, equation 5, without restarts).
double learning_rate(const JobConfig::Optimizer& optimizer, const JobConfig::LrScheduler& scheduler, std::int64_t step,
                     std::int64_t steps);

}  // namespace funcpipe
