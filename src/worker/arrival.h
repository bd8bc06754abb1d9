// Waiting for another worker's object: by GET, never by LIST, when schedule/polling.h says.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "plan/plan.h"
#include "schedule/object_wait.h"
#include "store/store.h"

namespace funcpipe {

// Who waits for what from whom.
struct AwaitedObject {
  std::string key;
  WorkerId waiting;
  WorkerId producer;
  std::string operation;  // "receive_activation"
  std::int64_t iteration = 0;
};

// A wait that has become long, for whoever is to know of it while it lasts.
struct LongWait {
  Seconds after = 0;           // of waiting
  std::function<void()> tell;  // called once; empty: nobody is to know
};

struct Arrival {
  Bytes size = 0;  // of the object
  int polls = 1;   // GETs sent, the one that found it included
  // Seconds after the reference time at which a GET was sent:
  Seconds found = 0;                   // the one that found it
  std::optional<Seconds> last_missed;  // the last one that did not; nullopt: the first found it
};

// Downloads `object.key` into `destination` once it is there. `reference`: a time of `clock` that arrivals are learnt
// relative to (when the operation became ready, say; not later than now). `expected`: seconds after it at which to ask
// first; nullopt: at once.
// Against the limit count pauses and usual answers: what the store takes longer, or this process stands still, is not
// the producer's delay.
// Errors: timeout (who waits for whom, since when, how often it asked), cancelled (stop), the store's own.
Result<Arrival> fetch_when_there(Store& store, const AwaitedObject& object, const Destination& destination,
                                 Clock& clock, Seconds reference, std::optional<Seconds> expected,
                                 const Polling& polling, std::stop_token stop, const LongWait& long_wait = {});

// When each operation's object arrived, over the iterations. Thread-safe.
class ArrivalEstimates {
 public:
  // When to ask first, seconds after the reference. nullopt: nothing known yet.
  std::optional<Seconds> first_poll(int op) const;
  void learn(int op, const Arrival& arrival);

 private:
  mutable std::mutex mutex_;
  std::map<int, ArrivalEstimate> estimates_;
};

}  // namespace funcpipe
