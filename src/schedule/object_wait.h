// Decides during one wait for an object when to ask for it next and when to give up. It has no clock and asks nothing
// itself: its driver does, which is the worker with GETs (worker/arrival.h) or the simulator with events.
#pragma once

#include <optional>

#include "base/units.h"
#include "schedule/polling.h"

namespace funcpipe {

// Times are seconds on the driver's clock. Only pauses and answers of usual length (up to 5 s) count against the limit
// of the wait: a slow store or a suspended process is not the producer's delay. Not thread-safe.
class ObjectWait {
 public:
  ObjectWait() = default;
  // `reference` is the time from which arrivals are counted; it is not later than `now`. `expected` says how long after
  // it to ask first; nullopt means at once.
  ObjectWait(const Polling& polling, Seconds now, Seconds reference, std::optional<Seconds> expected);

  // Returns the time of the next GET. A time in the past means at once.
  Seconds ask_at() const { return ask_at_; }
  // The driver has sent the GET.
  void asked(Seconds now);
  // The GET found nothing. Returns false if the limit is reached; otherwise ask_at() says when to ask again.
  bool missed(const Polling& polling, Seconds now);

  Seconds since_began(Seconds now) const { return now - began_; }
  // Returns how much of that counts against the limit. To be called after missed().
  Seconds waited(Seconds now) const { return now - began_ - not_waited_; }
  int polls() const { return polls_; }  // Number of GETs sent.
  Seconds last_asked() const { return asked_; }
  // Return how long after the reference time a GET was sent: the last GET, which has found the object, and the last one
  // that found nothing (nullopt if the first one found it).
  Seconds found() const { return asked_ - reference_; }
  std::optional<Seconds> last_missed() const;

 private:
  Seconds began_ = 0, reference_ = 0;
  Seconds turn_ = 0;        // Start of the current turn, which is a pause and a GET.
  Seconds paused_ = 0;      // Intended pause of the current turn.
  Seconds not_waited_ = 0;  // Time since `began_` that does not count against the limit.
  Seconds ask_at_ = 0, first_ = 0, asked_ = 0;
  Seconds last_missed_ = -1;
  int polls_ = 0;
};

}  // namespace funcpipe
