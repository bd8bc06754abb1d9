#pragma once

#include <cstdint>

#include "config/job_config.h"

namespace funcpipe {

// The learning rate of step `step` (from 0) of `steps`: a pure function, so any worker of any life agrees on it.
// Warm-up: step s of `warmup_steps` w has (s+1)/(w+1) of the rate, the step after the last has it whole. Cosine: half a
// wave over the steps that remain, from the whole rate down to `min_lr_factor` of it (reached at `steps`).
double learning_rate(const JobConfig::Optimizer& optimizer, const JobConfig::LrScheduler& scheduler, std::int64_t step,
                     std::int64_t steps);

}  // namespace funcpipe
