// Clocks are passed in as arguments, never global: production code gets a SystemClock and tests a ManualClock.
#pragma once

#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "base/units.h"

namespace funcpipe {

// Counts monotonic seconds since some fixed point. Thread-safe.
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

// Stands still until somebody calls advance(). Sleepers wake when their deadline has passed.
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

// Counts the seconds of an emulated platform. Each of them takes `dilation` seconds of `clock`.
class DilatedClock final : public Clock {
 public:
  // Keeps the reference to `clock`, which has to live longer.
  DilatedClock(Clock& clock, double dilation);
  Seconds outside(Seconds time) const { return time * dilation_; }  // Converts a time to seconds of `clock`.
  Seconds now() const override;
  bool sleep_until(Seconds deadline, std::stop_token stop = {}) override;

 private:
  Clock& clock_;
  const double dilation_;
};

// Returns the seconds since 1970 by the system's wall clock, for timestamps that leave the process.
Seconds unix_time();

// Returns the CPU time that the calling thread has used so far.
Seconds thread_cpu_time();

}  // namespace funcpipe
