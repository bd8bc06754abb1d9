// Waits for another worker's object. Asks by GET, never by LIST, at the times that schedule/polling.h says.
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

// Names who waits for what from whom.
struct AwaitedObject {
  std::string key;
  WorkerId waiting;
  WorkerId producer;
  std::string operation;  // for example "receive_activation"
  std::int64_t iteration = 0;
};

// Reports a wait that has become long, while it lasts.
struct LongWait {
  Seconds after = 0;           // after this many seconds of waiting
  std::function<void()> tell;  // called once; empty: nobody is told
};

struct Arrival {
  Bytes size = 0;  // of the object
  int polls = 1;   // how many GETs were sent, including the one that found the object
  // Seconds from the reference time until a GET was sent:
  Seconds found = 0;                   // the GET that found the object
  std::optional<Seconds> last_missed;  // the last GET that did not; nullopt: the first found it
};

// Downloads `object.key` into `destination` once it is there. Arrivals are counted from `reference`, a time of `clock`
// that is not later than now, such as the time the operation became ready. `expected` says how many seconds after it to
// ask first; nullopt: at once. The limit counts pauses and the usual time of answers. It does not count what the store
// takes longer, nor time during which this process stands still, because neither is the producer's fault. Errors:
// timeout (says who waits for whom, how long and after how many GETs), cancelled on a stop, or the store's own.
Result<Arrival> fetch_when_there(Store& store, const AwaitedObject& object, const Destination& destination,
                                 Clock& clock, Seconds reference, std::optional<Seconds> expected,
                                 const Polling& polling, std::stop_token stop, const LongWait& long_wait = {});

// Learns when each operation's object arrives, over the iterations. Thread-safe.
class ArrivalEstimates {
 public:
  // When to send the first GET, in seconds after the reference. nullopt: nothing is known yet.
  std::optional<Seconds> first_poll(int op) const;
  void learn(int op, const Arrival& arrival);

 private:
  mutable std::mutex mutex_;
  std::map<int, ArrivalEstimate> estimates_;
};

}  // namespace funcpipe
