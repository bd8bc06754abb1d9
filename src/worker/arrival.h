// Waiting for another worker's object: by GET, never by LIST. The first GET goes out shortly before the object is
// expected, as learnt from the iterations before; then GETs follow with growing pauses, counted from the start of one
// to the start of the next, so a slow answer that says "not there" is followed by the next question at once.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "plan/plan.h"
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

struct Polling {
  Seconds limit = 120;             // of the whole wait
  Seconds shortest_pause = 0.005;  // between the starts of two GETs
  Seconds longest_pause = 0.25;
  double growth = 0.25;  // a pause is this share of the time since the first GET, between those two
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
// Errors: timeout (who waits for whom, since when, how often it asked), cancelled (stop), the store's own.
Result<Arrival> fetch_when_there(Store& store, const AwaitedObject& object, const Destination& destination,
                                 Clock& clock, Seconds reference, std::optional<Seconds> expected,
                                 const Polling& polling, std::stop_token stop);

// When each operation's object arrived, over the iterations: an exponentially weighted mean per operation, cautious
// upwards (one late iteration must not make the next one late). Thread-safe.
class ArrivalEstimates {
 public:
  // When to ask first, seconds after the reference: a little before the mean. nullopt: nothing known yet.
  std::optional<Seconds> first_poll(int op) const;
  void learn(int op, const Arrival& arrival);

 private:
  struct Estimate {
    Seconds mean = 0;
    int hits = 0;  // in a row: first GETs that found the object, and so say only that it was not later
  };
  mutable std::mutex mutex_;
  std::map<int, Estimate> estimates_;
};

}  // namespace funcpipe
