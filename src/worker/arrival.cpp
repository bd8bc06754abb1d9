#include "worker/arrival.h"

#include <fmt/format.h>

#include <algorithm>

namespace funcpipe {
namespace {

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
    if (!clock.sleep_until(std::min(polling.next(first, asked), deadline), stop)) {
      return tl::unexpected(stopped(object, arrival.polls));
    }
  }
}

std::optional<Seconds> ArrivalEstimates::first_poll(int op) const {
  std::lock_guard lock(mutex_);
  const auto found = estimates_.find(op);
  return found == estimates_.end() ? std::nullopt : found->second.first_poll();
}

void ArrivalEstimates::learn(int op, const Arrival& arrival) {
  std::lock_guard lock(mutex_);
  estimates_[op].learn(arrival.found, arrival.last_missed);
}

}  // namespace funcpipe
