#include "worker/arrival.h"

#include <fmt/format.h>

#include <memory>

#include "store/stoppable_store.h"

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
                                 const Polling& polling, std::stop_token stop, const LongWait& long_wait) {
  const std::unique_ptr<Store> requests = until(store, stop);
  ObjectWait wait(polling, clock.now(), reference, expected);
  bool told = !long_wait.tell;
  while (true) {
    const bool slept = wait.ask_at() <= clock.now() || clock.sleep_until(wait.ask_at(), stop);
    if (!slept || stop.stop_requested()) return tl::unexpected(stopped(object, wait.polls()));
    wait.asked(clock.now());
    FUNCPIPE_TRY(size, requests->get(object.key, destination));
    if (size)
      return Arrival{.size = *size, .polls = wait.polls(), .found = wait.found(), .last_missed = wait.last_missed()};
    const Seconds now = clock.now();
    const bool goes_on = wait.missed(polling, now);
    if (!told && wait.waited(now) >= long_wait.after) {
      told = true;
      long_wait.tell();
    }
    if (!goes_on) return tl::unexpected(too_late(object, wait.since_began(now), wait.polls()));
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
