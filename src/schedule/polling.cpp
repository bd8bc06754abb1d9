#include "schedule/polling.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

constexpr double kWeight = 0.3;           // of the newest arrival in the mean
constexpr double kLead = 0.05;            // how much before the mean to ask, as a share of it,
constexpr Seconds kShortestLead = 0.002;  // within these bounds
constexpr Seconds kLongestLead = 0.05;
constexpr double kMostGrowth = 1.25;    // an arrival counts as at most this much later than the mean,
constexpr Seconds kLeastGrowth = 0.02;  // or this, whichever is later
constexpr int kMostHits = 16;

Seconds lead(Seconds mean) {
  return std::clamp(kLead * mean, kShortestLead, kLongestLead);
}

}  // namespace

Seconds Polling::next(Seconds first, Seconds asked) const {
  return asked + std::clamp(growth * (asked - first), shortest_pause, longest_pause);
}

std::optional<Seconds> ArrivalEstimate::first_poll() const {
  if (mean_ < 0) return std::nullopt;
  return mean_ - lead(mean_);
}

void ArrivalEstimate::learn(Seconds found, std::optional<Seconds> last_missed) {
  const bool fresh = mean_ < 0;
  Seconds sample = 0;
  if (last_missed) {
    hits_ = 0;
    sample = (*last_missed + found) / 2;
  } else {
    // It may have been there for long (and the GET may have gone out late). Believe so, and the more the longer no GET
    // has missed, so that the mean comes down until one does.
    const Seconds latest = fresh ? found : std::min(found, mean_);
    sample = latest - std::min(std::ldexp(lead(latest), hits_), latest / 2);
    hits_ = std::min(hits_ + 1, kMostHits);
  }
  if (fresh) {
    mean_ = std::max(0.0, sample);
    return;
  }
  const Seconds believed = std::min(sample, std::max(kMostGrowth * mean_, mean_ + kLeastGrowth));
  mean_ = std::max(0.0, mean_ + kWeight * (believed - mean_));
}

}  // namespace funcpipe
