// How fast a client sends requests to a service that has refused some of them (503, "SlowDown"): as the store's and the
// functions' clients do, and the simulator. Many clients that share one limit find their shares of it without
// knowing of each other: each falls back when it is refused, grows again, slower and slower, to the rate at which it
// was refused, and faster and faster past it. So do CUBIC congestion control (RFC 9438) and the AWS SDKs' adaptive
// retries; the curve here is of second degree, because square roots are the same to the bit on every machine.
#pragma once

#include <limits>
#include <optional>

#include "base/units.h"

namespace funcpipe {

// Not thread-safe. Times are of one clock and do not decrease, but by what clocks of several threads differ.
class SendRate {
 public:
  // When a request that is ready at `now` is to be sent. The time is taken: the next request goes out later. nullopt:
  // later than `latest`, nothing is taken. Nothing is held back before the first refusal.
  std::optional<Seconds> take(Seconds now, Seconds latest = std::numeric_limits<double>::infinity());
  // The request sent at `sent` was refused. Of those under way together the first counts: they tell of one overload.
  void refused(Seconds now, Seconds sent);

  // Requests a second; nullopt: as many as there are.
  std::optional<double> rate(Seconds now) const;

 private:
  void count(Seconds now);

  double sent_ = 0;  // requests a second, smoothed
  int counted_ = 0;  // requests since `since_`
  std::optional<Seconds> since_;
  double refused_at_ = 0;  // the rate; 0: never
  Seconds refusal_ = 0;    // when
  Seconds next_ = 0;       // the first free time
};

}  // namespace funcpipe
