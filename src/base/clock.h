// Time is passed in, never global: production code gets SystemClock, tests ManualClock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/units.h"

namespace funcpipe {

// Monotonic seconds since some fixed point. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Seconds now() const = 0;
  // Returns at `deadline` (on this clock) or as soon as a stop is requested; true if the deadline was reached.
  virtual bool sleep_until(Seconds deadline, std::stop_token stop = {}) = 0;
};

class SystemClock final : public Clock {
 public:
  Seconds now() const override;
  bool sleep_until(Seconds deadline, std::stop_token stop = {}) override;
};

// Stands still until advance(); sleepers wake when their deadline has passed.
class ManualClock final : public Clock {
 public:
  Seconds now() const override;
  bool sleep_until(Seconds deadline, std::stop_token stop = {}) override;
  void advance(Seconds seconds);

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  Seconds now_ = 0;
};

// Seconds of an emulated platform, of which each takes `dilation` of `clock`'s.
class DilatedClock final : public Clock {
 public:
  // Keeps the reference.
  DilatedClock(Clock& clock, double dilation);
  Seconds outside(Seconds time) const { return time * dilation_; }  // on `clock`
  Seconds now() const override;
  bool sleep_until(Seconds deadline, std::stop_token stop = {}) override;

 private:
  Clock& clock_;
  const double dilation_;
};

// Seconds since 1970 of the system's wall clock, for timestamps that leave the process.
Seconds unix_time();

// CPU time the calling thread has used.
Seconds thread_cpu_time();

}  // namespace funcpipe
