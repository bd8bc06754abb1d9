#include "schedule/polling.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace funcpipe {
namespace {

// A first GET that finds the object makes the estimate earlier by this share of it, doubled with each further one in a
// row up to kMostEarlier, and by at least kLeastEarlier.
constexpr double kEarlier = 0.05, kMostEarlier = 0.5;
constexpr Seconds kLeastEarlier = 0.002;
constexpr int kMostHits = 8;

}  // namespace

Seconds Polling::next(Seconds first, Seconds asked) const {
  return asked + std::clamp(growth * (asked - first), shortest_pause, longest_pause);
}

std::optional<Seconds> ArrivalEstimate::first_poll() const {
  if (known_ < kEnough) return std::nullopt;
  return *std::min_element(recent_.begin(), recent_.begin() + known_);
}

void ArrivalEstimate::learn(Seconds found, std::optional<Seconds> last_missed) {
  if (!std::exchange(started_, true)) return;
  Seconds arrived = 0;
  if (last_missed) {
    hits_ = 0;
    arrived = (*last_missed + found) / 2;
  } else {
    const Seconds latest = std::min(found, first_poll().value_or(found));
    const double share = std::min(std::ldexp(kEarlier, hits_), kMostEarlier);
    arrived = std::max(0.0, latest - std::max(share * latest, kLeastEarlier));
    if (hits_ < kMostHits) ++hits_;
  }
  std::shift_right(recent_.begin(), recent_.end(), 1);
  recent_.front() = arrived;
  if (known_ < kRecent) ++known_;
}

}  // namespace funcpipe
