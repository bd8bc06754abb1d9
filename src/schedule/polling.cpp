#include "schedule/polling.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

// A first GET that finds its object was late by an unknown time, taken for this share of the wait or this long.
constexpr double kLate = 0.02;
constexpr Seconds kLeastLate = 0.002;
constexpr int kMostHits = 16;

}  // namespace

Seconds Polling::next(Seconds first, Seconds asked) const {
  return asked + std::clamp(growth * (asked - first), shortest_pause, longest_pause);
}

std::optional<Seconds> ArrivalEstimate::first_poll() const {
  if (learnt_ == 0) return std::nullopt;
  if (learnt_ == 1) return last_[0];
  if (learnt_ == 2) return std::min(last_[0], last_[1]);
  return std::max(std::min(last_[0], last_[1]), std::min(std::max(last_[0], last_[1]), last_[2]));
}

void ArrivalEstimate::learn(Seconds found, std::optional<Seconds> last_missed) {
  Seconds arrived = 0;
  if (last_missed) {
    hits_ = 0;
    arrived = (*last_missed + found) / 2;
  } else {
    // It may have been there for long (and the GET may have gone out late). Believe so, and the more the longer no GET
    // has missed, so that the estimate comes down until one does.
    const Seconds latest = std::min(found, first_poll().value_or(found));
    arrived = latest - std::min(std::ldexp(std::max(kLate * latest, kLeastLate), hits_), latest / 2);
    hits_ = std::min(hits_ + 1, kMostHits);
  }
  last_[static_cast<std::size_t>(learnt_ % 3)] = std::max(0.0, arrived);
  learnt_ = learnt_ == 5 ? 3 : learnt_ + 1;  // from 3 on it only says whose turn it is
}

}  // namespace funcpipe
