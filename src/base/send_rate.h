// Limits how fast a client sends requests to a service that has refused some of them (503 "SlowDown"). The clients of
// the store and of the functions use it, and so does the simulator. Clients that share one limit find their shares
// without knowing of each other: a client that is refused lowers its rate, lets it grow ever more slowly up to the rate
// at which it was refused, and ever faster beyond. CUBIC congestion control (RFC 9438) and the adaptive retries of the
// AWS SDKs do the same with a cubic curve. The curve here is quadratic, because square roots, unlike cube roots, have
// the same bits on every machine.
#pragma once

#include <limits>
#include <optional>

#include "base/units.h"

namespace funcpipe {

// Not thread-safe. All times are of one clock. They do not decrease, except by the time that one thread may be behind
// another when it reads the clock.
class SendRate {
 public:
  // Returns when to send a request that is ready at `now`, and reserves that time: the next request is sent later.
  // Returns nullopt, and reserves nothing, if the time would be after `latest`. Before the first refusal it returns
  // `now`.
  std::optional<Seconds> take(Seconds now, Seconds latest = std::numeric_limits<double>::infinity());
  // Lowers the rate because the request sent at `sent` was refused. A request sent before the last refusal that counted
  // is ignored, since it tells of the same overload.
  void refused(Seconds now, Seconds sent);

  // Returns the rate at `now` in requests a second; nullopt if nothing limits it.
  std::optional<double> rate(Seconds now) const;

 private:
  void count(Seconds now);

  double sent_ = 0;  // Requests sent a second, smoothed.
  int counted_ = 0;  // Requests sent since `since_`.
  std::optional<Seconds> since_;
  double refused_at_ = 0;  // Requests a second at the last refusal; 0 if there was none.
  Seconds refusal_ = 0;    // Time of the last refusal.
  Seconds next_ = 0;       // Earliest time that no request has reserved.
};

}  // namespace funcpipe
