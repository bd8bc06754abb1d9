#include "schedule/polling.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace funcpipe {
namespace {

// How much earlier to ask after a first GET that found its object: this share of the wait, doubled with each in a row.
constexpr double kEarlier = 0.05, kMostEarlier = 0.5;
constexpr Seconds kLeastEarlier = 0.002;
constexpr int kMostHits = 8;
// An arrival is much later than expected beyond this share of the wait and this long.
constexpr double kLate = 0.1;
constexpr Seconds kLeastLate = 0.02;

}  // namespace

Seconds Polling::next(Seconds first, Seconds asked) const {
  return asked + std::clamp(growth * (asked - first), shortest_pause, longest_pause);
}

void ArrivalEstimate::learn(Seconds found, std::optional<Seconds> last_missed) {
  if (!std::exchange(started_, true)) return;
  if (!last_missed) {
    const Seconds latest = std::min(found, expected_.value_or(found));
    const double share = std::min(std::ldexp(kEarlier, hits_), kMostEarlier);
    expected_ = std::max(0.0, latest - std::max(share * latest, kLeastEarlier));
    hits_ = std::min(hits_ + 1, kMostHits);
    late_.reset();
    return;
  }
  hits_ = 0;
  const Seconds arrived = (*last_missed + found) / 2;
  const bool late = expected_ && arrived > *expected_ + std::max(kLate * *expected_, kLeastLate);
  if (!late) {
    expected_ = arrived;
    late_.reset();
  } else if (late_) {
    expected_ = std::min(*late_, arrived);
    late_ = arrived;
  } else {
    late_ = arrived;
  }
}

}  // namespace funcpipe
