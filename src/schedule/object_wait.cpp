#include "schedule/object_wait.h"

#include <algorithm>

namespace funcpipe {
namespace {

// A turn is a pause and a GET. Time that it takes beyond its pause and this does not count against the limit.
constexpr Seconds kSlowTurn = 5;

}  // namespace

ObjectWait::ObjectWait(const Polling& polling, Seconds now, Seconds reference, std::optional<Seconds> expected)
    : began_(now), reference_(reference), turn_(now), ask_at_(now) {
  if (!expected || reference + *expected <= now) return;
  ask_at_ = std::min(reference + *expected, now + polling.limit);
  paused_ = ask_at_ - now;
}

void ObjectWait::asked(Seconds now) {
  asked_ = now;
  if (polls_++ == 0) first_ = now;
}

bool ObjectWait::missed(const Polling& polling, Seconds now) {
  last_missed_ = asked_ - reference_;
  not_waited_ += std::max(0.0, now - turn_ - paused_ - kSlowTurn);
  const Seconds latest = began_ + polling.limit + not_waited_;
  if (now >= latest) return false;
  turn_ = now;
  ask_at_ = std::max(now, std::min(polling.next(first_, asked_), latest));
  paused_ = ask_at_ - now;
  return true;
}

std::optional<Seconds> ObjectWait::last_missed() const {
  if (polls_ < 2) return std::nullopt;
  return last_missed_;
}

}  // namespace funcpipe
