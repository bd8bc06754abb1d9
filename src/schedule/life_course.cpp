#include "schedule/life_course.h"

#include <algorithm>

namespace funcpipe {

LifeStep LifeCourse::next(Seconds now, Seconds guess) const {
  using Kind = LifeStep::Kind;
  if (due_) return {Kind::save, iteration_};
  const auto validation = plan_->validation ? plan_->validation(rounds_) : std::nullopt;
  if (validation && *validation == iteration_)
    return {span_.may_validate(now, guess) ? Kind::validate : Kind::hand_over, iteration_};
  if (iteration_ >= plan_->iterations) return {Kind::finish, iteration_};
  const std::int64_t chunk = span_.chunk(now);
  if (chunk == 0) return {Kind::hand_over, iteration_};
  std::int64_t end = std::min(plan_->iterations, validation.value_or(plan_->iterations));
  const std::int64_t interval = plan_->checkpoint_interval;
  if (interval > 0) end = std::min(end, (iteration_ / interval + 1) * interval);
  return {Kind::play, chunk < end - iteration_ ? iteration_ + chunk : end};
}

void LifeCourse::played(std::int64_t end) {
  iteration_ = end;
  const std::int64_t interval = plan_->checkpoint_interval;
  due_ = interval > 0 && end % interval == 0 && end < plan_->iterations;
}

}  // namespace funcpipe
