// One wait for an object that may not be there yet, without a clock: it says when to ask for it next, and when to give
// up. Whoever drives it asks: the worker with GETs (worker/arrival.h), the simulator with events.
#pragma once

#include <optional>

#include "base/units.h"
#include "schedule/polling.h"

namespace funcpipe {

// Not thread-safe. Times are of the driver's clock. Against the limit count pauses and usual answers: what the store
// takes longer, or a process that stands still, is not the producer's delay.
class ObjectWait {
 public:
  ObjectWait() = default;
  // `reference`: what arrivals are learnt relative to, not later than `now`. `expected`: seconds after it at which to
  // ask first; nullopt: at once.
  ObjectWait(const Polling& polling, Seconds now, Seconds reference, std::optional<Seconds> expected);

  // When the next GET is due; the past: at once.
  Seconds ask_at() const { return ask_at_; }
  // It is sent.
  void asked(Seconds now);
  // It found nothing. false: the limit has come; else ask_at() says when to ask again.
  bool missed(const Polling& polling, Seconds now);

  Seconds since_began(Seconds now) const { return now - began_; }
  // The same as it counts against the limit; after missed().
  Seconds waited(Seconds now) const { return now - began_ - not_waited_; }
  int polls() const { return polls_; }  // GETs sent
  Seconds last_asked() const { return asked_; }
  // Seconds after the reference time at which a GET was sent: the last one, which has found the object, and the last
  // that found nothing; nullopt: the first found it.
  Seconds found() const { return asked_ - reference_; }
  std::optional<Seconds> last_missed() const;

 private:
  Seconds began_ = 0, reference_ = 0;
  Seconds turn_ = 0;        // when the turn under way, a pause and a GET, began
  Seconds paused_ = 0;      // of it, meant to pass
  Seconds not_waited_ = 0;  // of the time since `began_`
  Seconds ask_at_ = 0, first_ = 0, asked_ = 0;
  Seconds last_missed_ = -1;
  int polls_ = 0;
};

}  // namespace funcpipe
