// When a worker asks the store for an object that may not be there yet: the policy alone, for the worker that waits
// and for the simulator. The first GET goes out when the object is expected, as learnt from the iterations before; then
// GETs follow with growing pauses, counted from the start of one to the start of the next, so a slow answer that says
// "not there" is followed by the next question at once. Every machine computes the same times to the bit.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/units.h"

namespace funcpipe {

// A parameter server waits this many times as long as functions do: all of them may be slow, or start again, at once.
inline constexpr double kServerPatience = 10;

struct Polling {
  Seconds limit = 120;             // of the whole wait
  Seconds shortest_pause = 0.005;  // between the starts of two GETs
  Seconds longest_pause = 0.25;
  double growth = 0.25;  // a pause is this share of the time since the first GET, between those two

  // When to ask again after a GET sent at `asked` found nothing; not before its answer, though. `first`: when the first
  // GET of this wait was sent.
  Seconds next(Seconds first, Seconds asked) const;
};

// When one operation's object arrives, over the iterations. Of the first, when functions start, nothing is learnt. It
// is expected as early as it came in the last three, once there are two: an iteration that peers delayed, because they
// were replaced or slow, must not make the next one late; those who wait for each other would confirm each other's
// lateness, and it would last. To ask too early costs a GET or two, to ask too late costs all workers' time. An object
// that was there at the first GET came earlier than anybody knows, and counts the earlier the more often in a row.
// Times are seconds after whatever the operation counts from.
class ArrivalEstimate {
 public:
  // When to ask first. nullopt: too little is known yet.
  std::optional<Seconds> first_poll() const;
  // `found`: when the GET that found it was sent; `last_missed`: the last one that did not, nullopt: the first found
  // it.
  void learn(Seconds found, std::optional<Seconds> last_missed);

 private:
  static constexpr std::size_t kRecent = 3, kEnough = 2;
  std::array<Seconds, kRecent> recent_{};  // the last arrivals
  std::uint8_t known_ = 0;                 // of them
  std::uint8_t hits_ = 0;                  // in a row: first GETs that found the object
  bool started_ = false;
};

}  // namespace funcpipe
