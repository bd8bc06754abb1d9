#include "measure/cpu_rate.h"

#include <algorithm>
#include <ctime>
#include <limits>

#include "base/clock.h"

namespace funcpipe {
namespace {

constexpr int kWindows = 6;
// The shortest window, and how much longer it may last until the thread is continued.
constexpr Seconds kWindow = 0.5, kEdgeWait = 0.1;
constexpr Seconds kPause = 0.001;  // a thread that saw no time pass for so long was stopped

Seconds clock_time(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Moment {
  Seconds wall = clock_time(CLOCK_MONOTONIC);
  Seconds cpu = thread_cpu_time();
};

// Stays busy for at least `seconds`, then until the thread is continued after a stop, at most `kEdgeWait` longer.
Moment busy_until_edge(Seconds seconds) {
  const Seconds start = clock_time(CLOCK_MONOTONIC);
  Seconds last = start;
  while (true) {
    const Seconds now = clock_time(CLOCK_MONOTONIC);
    const bool edge = now - last > kPause;
    last = now;
    if (now - start < seconds) continue;
    if (edge || now - start > seconds + kEdgeWait) return {};
  }
}

}  // namespace

Seconds process_cpu_time() {
  return clock_time(CLOCK_PROCESS_CPUTIME_ID);
}

double wall_seconds_per_cpu_second() {
  double least = std::numeric_limits<double>::infinity();
  Moment before = busy_until_edge(0);
  for (int window = 0; window < kWindows; ++window) {
    const Moment after = busy_until_edge(kWindow);
    least = std::min(least, (after.wall - before.wall) / std::max(1e-9, after.cpu - before.cpu));
    before = after;
  }
  return std::max(1.0, least);
}

}  // namespace funcpipe
