#include "base/send_rate.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

constexpr double kFallsTo = 0.7;      // Share of the refused rate that a client falls to, as in the AWS SDKs.
constexpr double kGrowth = 1;         // Coefficient of the curve in requests/s^3.
constexpr double kLeastRate = 2;      // Requests a second: a first refusal costs at most half a second.
constexpr Seconds kWindow = 0.5;      // Length of the windows in which sent requests are counted.
constexpr double kLatestShare = 0.8;  // Weight of the last window in the smoothed rate.

}  // namespace

std::optional<double> SendRate::rate(Seconds now) const {
  if (refused_at_ == 0) return std::nullopt;
  const Seconds back = std::sqrt(refused_at_ * (1 - kFallsTo) / kGrowth);  // Time until the refused rate is regained.
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
