#include "schedule/life_course.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {

LifeStep LifeCourse::next(Seconds now, Seconds guess) const {
  using Kind = LifeStep::Kind;
  // Near its end a life saves once, and hands over.
  if (snapshot_is_due(now)) return {span_.chunk(now) == 0 ? Kind::hand_over : Kind::save, iteration_};
  const auto validation = plan_->validation ? plan_->validation(rounds_) : std::nullopt;
  if (validation && *validation == iteration_)
    return {span_.may_validate(now, guess) ? Kind::validate : Kind::hand_over, iteration_};
  if (iteration_ >= plan_->iterations) return {Kind::finish, iteration_};
  const std::int64_t chunk = span_.chunk(now);
  if (chunk == 0) return {Kind::hand_over, iteration_};
  const std::int64_t end = std::min(plan_->iterations, validation.value_or(plan_->iterations));
  return {Kind::play, iteration_ + std::min({chunk, until_snapshot(now), end - iteration_})};
}

void LifeCourse::played(std::int64_t end) {
  iteration_ = end;
}

bool LifeCourse::snapshot_is_due(Seconds now) const {
  if (iteration_ >= plan_->iterations || iteration_ == saved_iteration_) return false;
  const std::int64_t interval = plan_->checkpoint_interval;
  return (interval > 0 && iteration_ - saved_iteration_ >= interval) || now - saved_at_ >= plan_->checkpoint_period;
}

std::int64_t LifeCourse::until_snapshot(Seconds now) const {
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  if (plan_->checkpoint_interval > 0)
    most = std::max<std::int64_t>(1, saved_iteration_ + plan_->checkpoint_interval - iteration_);
  if (std::isinf(plan_->checkpoint_period)) return most;
  const Seconds pace = span_.slowest_iteration();
  if (pace <= 0) return 1;  // the first iteration shows it
  const double left = std::ceil((saved_at_ + plan_->checkpoint_period - now) / pace);
  return std::min(most, static_cast<std::int64_t>(std::clamp(left, 1.0, 1e15)));
}

}  // namespace funcpipe
