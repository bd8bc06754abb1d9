#include "worker/arrival.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "store/stoppable_store.h"

namespace funcpipe {
namespace {

// What a turn, a pause and a GET, may take beyond its pause and still count as waiting for the producer.
constexpr Seconds kSlowTurn = 5;

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
                                 const Polling& polling, std::stop_token stop, const LongWait& long_wait) {
  const std::unique_ptr<Store> requests = until(store, stop);
  const Seconds began = clock.now();
  const Seconds deadline = began + polling.limit;
  Seconds turn = began;    // when the turn under way began
  Seconds paused = 0;      // of it, meant to pass
  Seconds not_waited = 0;  // of the time since `began`
  bool told = !long_wait.tell;
  Arrival arrival;
  arrival.polls = 0;
  if (expected && reference + *expected > began) {
    paused = std::min(reference + *expected, deadline) - began;
    if (!clock.sleep_until(began + paused, stop)) {
      return tl::unexpected(stopped(object, arrival.polls));
    }
  }
  const Seconds first = clock.now();
  while (true) {
    if (stop.stop_requested()) return tl::unexpected(stopped(object, arrival.polls));
    const Seconds asked = clock.now();
    ++arrival.polls;
    FUNCPIPE_TRY(size, requests->get(object.key, destination));
    if (size) {
      arrival.size = *size;
      arrival.found = asked - reference;
      return arrival;
    }
    arrival.last_missed = asked - reference;
    const Seconds now = clock.now();
    not_waited += std::max(0.0, now - turn - paused - kSlowTurn);
    const Seconds latest = deadline + not_waited;
    if (!told && now - began - not_waited >= long_wait.after) {
      told = true;
      long_wait.tell();
    }
    if (now >= latest) return tl::unexpected(too_late(object, now - began, arrival.polls));
    turn = clock.now();
    const Seconds next = std::min(polling.next(first, asked), latest);
    paused = std::max(0.0, next - turn);
    if (!clock.sleep_until(next, stop)) {
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
