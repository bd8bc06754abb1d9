#include "worker/arrival.h"

#include <fmt/format.h>

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

Error too_late(const AwaitedObject& object, Seconds waited, int polls) {
  return {.code = ErrorCode::timeout,
          .message = fmt::format("{} waits for {} in {} of iteration {}: its object is not there after {} and {} GETs",
                                 to_string(object.waiting), to_string(object.producer), object.operation,
                                 object.iteration, format_seconds(waited), polls),
          .place = object.key,
          .hint = fmt::format("see what {} says in its log; if it is merely slow, raise training.wait_limit",
                              to_string(object.producer))};
}

Error stopped(const AwaitedObject& object, int polls) {
  return {.code = ErrorCode::cancelled,
          .message = fmt::format("stopped while {} waited for {} in {} of iteration {}, after {} GETs",
                                 to_string(object.waiting), to_string(object.producer), object.operation,
                                 object.iteration, polls),
          .place = object.key,
          .hint = {}};
}

}  // namespace

Result<Arrival> fetch_when_there(Store& store, const AwaitedObject& object, const Destination& destination,
                                 Clock& clock, Seconds reference, std::optional<Seconds> expected,
                                 const Polling& polling, std::stop_token stop) {
  const Seconds began = clock.now();
  const Seconds deadline = began + polling.limit;
  Arrival arrival;
  arrival.polls = 0;
  if (expected && reference + *expected > began) {
    if (!clock.sleep_until(std::min(reference + *expected, deadline), stop)) {
      return tl::unexpected(stopped(object, arrival.polls));
    }
  }
  const Seconds first = clock.now();
  while (true) {
    if (stop.stop_requested()) return tl::unexpected(stopped(object, arrival.polls));
    const Seconds asked = clock.now();
    ++arrival.polls;
    FUNCPIPE_TRY(size, store.get(object.key, destination));
    if (size) {
      arrival.size = *size;
      arrival.found = asked - reference;
      return arrival;
    }
    arrival.last_missed = asked - reference;
    const Seconds now = clock.now();
    if (now >= deadline) return tl::unexpected(too_late(object, now - began, arrival.polls));
    const Seconds pause = std::clamp(polling.growth * (asked - first), polling.shortest_pause, polling.longest_pause);
    if (!clock.sleep_until(std::min(asked + pause, deadline), stop)) {
      return tl::unexpected(stopped(object, arrival.polls));
    }
  }
}

std::optional<Seconds> ArrivalEstimates::first_poll(int op) const {
  std::lock_guard lock(mutex_);
  const auto found = estimates_.find(op);
  if (found == estimates_.end()) return std::nullopt;
  return found->second.mean - lead(found->second.mean);
}

void ArrivalEstimates::learn(int op, const Arrival& arrival) {
  std::lock_guard lock(mutex_);
  const auto [found, fresh] = estimates_.try_emplace(op);
  auto& [mean, hits] = found->second;
  Seconds sample = 0;
  if (arrival.last_missed) {
    hits = 0;
    sample = (*arrival.last_missed + arrival.found) / 2;
  } else {
    // It may have been there for long (and the GET may have gone out late). Believe so, and the more the longer no GET
    // has missed, so that the mean comes down until one does.
    const Seconds latest = fresh ? arrival.found : std::min(arrival.found, mean);
    sample = latest - std::min(std::ldexp(lead(latest), hits), latest / 2);
    hits = std::min(hits + 1, kMostHits);
  }
  if (fresh) {
    mean = std::max(0.0, sample);
    return;
  }
  const Seconds believed = std::min(sample, std::max(kMostGrowth * mean, mean + kLeastGrowth));
  mean = std::max(0.0, mean + kWeight * (believed - mean));
}

}  // namespace funcpipe
