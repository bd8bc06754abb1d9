#include "worker/arrival.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {
namespace {

constexpr double kWeight = 0.3;           // of the newest arrival in the mean
constexpr double kLead = 0.05;            // how much before the mean to ask, as a share of it,
constexpr Seconds kShortestLead = 0.002;  // within these bounds
constexpr Seconds kLongestLead = 0.05;
constexpr double kMostGrowth = 1.25;    // an arrival counts as at most this much later than the mean,
constexpr Seconds kLeastGrowth = 0.02;  // or this, whichever is later

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
  const auto found = means_.find(op);
  if (found == means_.end()) return std::nullopt;
  return found->second - lead(found->second);
}

void ArrivalEstimates::learn(int op, const Arrival& arrival) {
  std::lock_guard lock(mutex_);
  const auto found = means_.find(op);
  // Found at the first GET, it may have been there for long (and the GET may have gone out late): believe it was, so
  // that the mean comes down until a GET misses now and then.
  const Seconds latest = found == means_.end() ? arrival.found : std::min(arrival.found, found->second);
  const Seconds sample = arrival.last_missed ? (*arrival.last_missed + arrival.found) / 2 : latest - lead(latest);
  if (found == means_.end()) {
    means_[op] = std::max(0.0, sample);
    return;
  }
  Seconds& mean = found->second;
  const Seconds believed = std::min(sample, std::max(kMostGrowth * mean, mean + kLeastGrowth));
  mean = std::max(0.0, mean + kWeight * (believed - mean));
}

}  // namespace funcpipe
