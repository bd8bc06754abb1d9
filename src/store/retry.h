// Decides when a request to a cloud service is sent and how often it is repeated.
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

// Sends and repeats the requests of one client. Thread-safe.
class Retrier {
 public:
  // `endpoint` is named in messages. `total_silent` is for a service that sends no byte at all: while every try ends in
  // a timeout, tries go on for this long whatever their number, if it is longer than `policy.total`.
  Retrier(const RetryPolicy& policy, std::string endpoint, bool loopback, Seconds total_silent = 0);

  // Says which failures may be repeated.
  enum class Repeat {
    idempotent,  // any failure that may pass: 429, 500, 502, 503, 504, 507, no connection, cut, timed out
    unsent,      // only a request the service cannot have acted upon: 429, or the connection was refused
  };

  // Calls `attempt` until it succeeds, fails for good, or the policy ends it. It sends no faster than the service
  // accepts requests of this client (base/send_rate.h). Returns the last answer, whatever its status. If the last try
  // had no answer, returns an error: unavailable, timeout, cancelled, failed (not HTTP), or the destination's own
  // error. `what` names the request in messages: "PUT s3://bucket/key".
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
  // mutex_ guards send_rate_ and repeats_.
  SendRate send_rate_;
  Repeats repeats_;
  std::atomic<std::uint64_t> draws_ = 0;
  std::atomic<std::int64_t> repeated_ = 0;
  std::uint64_t seed_;
};

}  // namespace funcpipe
