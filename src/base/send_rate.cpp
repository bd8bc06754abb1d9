#include "base/send_rate.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

constexpr double kFallsTo = 0.7;      // of the rate that was refused: as the AWS SDKs
constexpr double kGrowth = 1;         // requests/s^3
constexpr double kLeastRate = 2;      // requests a second: one refusal alone costs no more than half a second
constexpr Seconds kWindow = 0.5;      // of counting
constexpr double kLatestShare = 0.8;  // of the last window in the smoothed rate

}  // namespace

std::optional<double> SendRate::rate(Seconds now) const {
  if (refused_at_ == 0) return std::nullopt;
  const Seconds back = std::sqrt(refused_at_ * (1 - kFallsTo) / kGrowth);  // until it is there again
  const Seconds time = std::max(0.0, now - refusal_) - back;
  return std::max(kLeastRate, refused_at_ + kGrowth * time * std::abs(time));
}

std::optional<Seconds> SendRate::take(Seconds now, Seconds latest) {
  const bool held_back = refused_at_ > 0;
  const Seconds at = held_back ? std::max(now, next_) : now;
  if (at > latest) return std::nullopt;
  if (held_back) next_ = at + 1 / *rate(at);
  count(at);
  return at;
}

void SendRate::refused(Seconds now, Seconds sent) {
  if (refused_at_ > 0 && sent < refusal_) return;
  const double so_far = since_ && now > *since_ ? counted_ / std::max(kWindow, now - *since_) : 0;
  const double reached = std::max(sent_, so_far);
  refused_at_ = std::max(kLeastRate, std::min(reached, rate(now).value_or(reached)));
  refusal_ = now;
  next_ = std::max(next_, now + 1 / *rate(now));
}

void SendRate::count(Seconds now) {
  if (!since_) since_ = now;
  ++counted_;
  const Seconds passed = now - *since_;
  if (passed < kWindow) return;
  sent_ = kLatestShare * counted_ / passed + (1 - kLatestShare) * sent_;
  counted_ = 0;
  since_ = now;
}

}  // namespace funcpipe
