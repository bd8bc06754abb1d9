#include "base/time_limit.h"

#include <chrono>

namespace funcpipe {

TimeLimit::TimeLimit(Seconds limit, const std::stop_token& outer) : outer_(outer), forward_(outer, Forward{&source_}) {
  if (limit <= 0) source_.request_stop();
  constexpr Seconds kLongest = 1e8;  // Three years; a much longer wait overflows the clock.
  if (limit <= 0 || !(limit < kLongest)) return;
  timer_ = std::jthread([this, limit](const std::stop_token& ended) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, ended, std::chrono::duration<double>(limit), [] { return false; });
    if (!ended.stop_requested()) source_.request_stop();
  });
}

}  // namespace funcpipe
