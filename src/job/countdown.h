#pragma once

#include <functional>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/clock.h"

namespace funcpipe {

// A stop that is requested after so many seconds, or when `other` is.
class Countdown {
 public:
  explicit Countdown(Seconds seconds, std::stop_token other = {})
      : pass_on_(std::move(other), [this] { source_.request_stop(); }), thread_([this, seconds](std::stop_token ended) {
          SystemClock clock;
          if (clock.sleep_until(clock.now() + seconds, ended)) source_.request_stop();
        }) {}

  std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  std::stop_callback<std::function<void()>> pass_on_;
  std::jthread thread_;  // must be the last member, because it uses the others
};

}  // namespace funcpipe
