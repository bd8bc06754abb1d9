#include "schedule/life_span.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace funcpipe {
namespace {

constexpr std::size_t kRecent = 8;
constexpr Seconds kMostSlack = 10;

}  // namespace

LifeSpan::LifeSpan(Seconds now, Seconds deadline) : deadline_(deadline), lifetime_(std::max(0.0, deadline - now)) {}

void LifeSpan::iteration_took(Seconds seconds) {
  recent_.push_back(seconds);
  if (recent_.size() > kRecent) recent_.pop_front();
}

void LifeSpan::snapshot_took(Seconds seconds) {
  snapshot_ = std::max(snapshot_, seconds);
}

Seconds LifeSpan::slowest_iteration() const {
  return recent_.empty() ? 0 : *std::max_element(recent_.begin(), recent_.end());
}

Seconds LifeSpan::margin() const {
  return 3 * slowest_iteration() + 2 * snapshot_ + std::min(kMostSlack, lifetime_ / 20);
}

bool LifeSpan::fits(Seconds now, Seconds seconds) const {
  return now + seconds + margin() < deadline_;
}

std::int64_t LifeSpan::chunk(Seconds now) const {
  if (std::isinf(deadline_)) return std::numeric_limits<std::int64_t>::max();
  if (recent_.empty()) return 1;
  if (!fits(now, 0)) return 0;
  const Seconds half = (deadline_ - now - margin()) / 2;
  const double iterations = half / std::max(slowest_iteration(), 1e-6);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(iterations, 1e15)));
}

}  // namespace funcpipe
