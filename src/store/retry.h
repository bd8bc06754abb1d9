// When and how often a request to a cloud service is sent and repeated.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/send_rate.h"
#include "store/http_client.h"

namespace funcpipe {

// Of one client. Thread-safe.
class Retrier {
 public:
  // `endpoint` is for messages.
  // `total_silent`: while tries meet nothing but silence, the total and whatever number of tries, if it is longer.
  Retrier(const RetryPolicy& policy, std::string endpoint, bool loopback, Seconds total_silent = 0);

  // Which failures may be repeated.
  enum class Repeat {
    idempotent,  // everything that may pass: 429, 500, 502, 503, 504, 507, no connection, cut, timed out
    unsent,      // only what the service cannot have acted upon: 429, connection refused
  };

  // Calls `attempt` until it succeeds, fails for good, or the policy ends it, no faster than the service takes requests
  // of this client. Returns its last answer, whatever the status, or, where there was none: unavailable, timeout,
  // cancelled, or the destination's own error. `what` says for messages what was tried: "PUT s3://bucket/key".
  using Attempt = std::function<tl::expected<HttpAnswer, HttpFailure>()>;
  Result<HttpAnswer> run(const std::string& what, const Attempt& attempt, Repeat repeat = Repeat::idempotent,
                         std::stop_token stop = {});

  std::int64_t repeated() const { return repeated_; }

 private:
  std::optional<Seconds> take_turn(Seconds latest);
  void slow_down(Seconds sent);
  std::optional<Seconds> pause_after(FailedTries tries);
  tl::unexpected<Error> give_up(const std::string& what, const HttpFailure& failure, int tries, Seconds elapsed) const;

  const RetryPolicy policy_;
  const std::string endpoint_;
  const bool loopback_;
  const Seconds total_silent_;
  SystemClock clock_;
  std::mutex mutex_;
  // Under mutex_:
  SendRate send_rate_;
  Repeats repeats_;
  std::atomic<std::uint64_t> draws_ = 0;
  std::atomic<std::int64_t> repeated_ = 0;
  std::uint64_t seed_;
};

}  // namespace funcpipe
