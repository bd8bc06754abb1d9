// What became of one operation: the worker's player tells it of real ones, the simulator of those in virtual time.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/clock.h"

namespace funcpipe {

// When an operation's dependencies were met, and when it ran; seconds on its player's clock. `cpu`: CPU seconds of the
// thread that ran it.
struct OpEvent {
  int op = 0;  // index in Program::ops
  std::int64_t iteration = 0;
  Seconds ready = 0;
  Seconds start = 0;
  Seconds end = 0;
  Seconds cpu = 0;
  std::optional<Seconds> asked;  // download of another worker's object: when the request that found it was sent
  bool operator==(const OpEvent&) const = default;
};

// Called one at a time, before what depends on the operation runs.
using OpObserver = std::function<void(const OpEvent&)>;

}  // namespace funcpipe
