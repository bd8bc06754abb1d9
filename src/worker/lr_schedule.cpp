#include "worker/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace funcpipe {

double learning_rate(const JobConfig::Optimizer& optimizer, const JobConfig::LrScheduler& scheduler, std::int64_t step,
                     std::int64_t steps) {
  const std::int64_t warmup = scheduler.warmup_steps;
  if (step < warmup) return optimizer.lr * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  if (scheduler.name != "cosine") return optimizer.lr;
  const auto rest = static_cast<double>(std::max<std::int64_t>(1, steps - warmup));
  const double progress = std::min(1.0, static_cast<double>(step - warmup) / rest);
  const double wave = 0.5 * (1 + std::cos(std::numbers::pi * progress));
  return optimizer.lr * (scheduler.min_lr_factor + (1 - scheduler.min_lr_factor) * wave);
}

}  // namespace funcpipe
