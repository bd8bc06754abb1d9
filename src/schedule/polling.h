// Decides when a worker asks the store for an object that may not exist yet. The worker and the simulator share this
// policy. The first GET is sent when the object is expected, which is learnt from earlier iterations. Further GETs
// follow after growing pauses, counted from the start of one GET to the start of the next, so after a slow answer the
// next GET is sent at once. The times have the same bits on every machine. docs/algorithms.md, "Waiting".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/units.h"

namespace funcpipe {

// A parameter server waits this many times as long as a function, because all functions may be slow or restart at once.
inline constexpr double kServerPatience = 10;

struct Polling {
  Seconds limit = 120;  // Longest whole wait.
  // A pause, between the starts of two GETs, is `growth` times the time since the first GET, within these bounds.
  Seconds shortest_pause = 0.005;
  Seconds longest_pause = 0.25;
  double growth = 0.25;

  // Returns when to ask again after the GET sent at `asked` found nothing. The caller does not ask before that GET is
  // answered. `first` is the time of the first GET of this wait.
  Seconds next(Seconds first, Seconds asked) const;
};

// Learns over the iterations when one operation's object arrives. The first iteration, in which functions start, is not
// counted. From two counted arrivals on, the object is expected at the earliest of the last three. It is not their
// mean: if one worker was slow once, workers that wait for each other would keep each other late, and asking too late
// costs the time of all workers, while asking too early costs a GET or two. If the first GET finds the object, its
// arrival is earlier by an unknown time; each further such GET in a row makes the estimate earlier by a larger step.
// Times are seconds after the reference time of the wait (ObjectWait). Not thread-safe.
class ArrivalEstimate {
 public:
  // Returns when to ask first; nullopt if too little is known yet.
  std::optional<Seconds> first_poll() const;
  // Learns an arrival. `found` is when the GET that found the object was sent, `last_missed` when the last GET before
  // it was (nullopt if there was none).
  void learn(Seconds found, std::optional<Seconds> last_missed);

 private:
  static constexpr std::size_t kRecent = 3, kEnough = 2;
  std::array<Seconds, kRecent> recent_{};  // The last arrivals, newest first.
  std::uint8_t known_ = 0;                 // How many of them are known.
  std::uint8_t hits_ = 0;                  // How many waits in a row found the object with the first GET.
  bool started_ = false;
};

}  // namespace funcpipe
