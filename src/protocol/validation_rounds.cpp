#include "protocol/validation_rounds.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {

std::optional<std::int64_t> validation_iteration(const JobSpec& spec, std::int64_t round) {
  if (spec.validation.rows() == 0) return std::nullopt;
  const double epochs = spec.config.validation.every_epochs;
  const double interval = std::max(1.0, epochs * static_cast<double>(spec.steps_per_epoch));
  const auto end_of = [&](std::int64_t rounds) -> std::int64_t {
    if (rounds == 0) return 0;
    const double end = interval * static_cast<double>(rounds);
    return epochs > 0 && end < static_cast<double>(spec.steps) ? std::llround(end) : spec.steps;
  };
  if (round > 0 && end_of(round) >= spec.steps) return std::nullopt;
  return end_of(round + 1);
}

Plan evaluation_plan(const JobSpec& spec, std::int64_t rows) {
  Plan plan = spec.plan;
  plan.global_batch = static_cast<int>(rows);
  const int wanted = spec.config.validation.micro_batch;
  plan.micro_batch = wanted > 0 ? wanted : 4 * plan.micro_batch;
  return plan;
}

}  // namespace funcpipe
