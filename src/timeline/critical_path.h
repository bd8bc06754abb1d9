// Which chain of operations made a stretch of time as long as it was: from an operation's end back to what it waited
// for, and so on.
#pragma once

#include <vector>

#include "base/clock.h"
#include "timeline/played.h"

namespace funcpipe {

// The part of an operation that is on the path. Before `begun` it had all it needed and had not begun yet; of a
// download that waited for its object: the object was there and had not been asked for since.
struct PathStep {
  int op = -1;  // index in Played::ops
  Seconds from = 0;
  Seconds begun = 0;
  Seconds to = 0;
};

// Steps that follow each other without a break up to `until` (or the end of `op`, if that is sooner), in order of time,
// back to `from` or to the first operation that was traced.
std::vector<PathStep> walk_back(const Played& played, int op, Seconds until, Seconds from);

// What time is spent on: compute lane but for reductions; activations and gradients that cross cuts; what replicas (and
// users of a tied parameter) exchange and add; training data; reports and removals.
enum class Activity { compute, pipeline, synchronisation, data, housekeeping };
inline constexpr int kActivities = 5;
Activity activity_of(OpKind kind);
// Whether the time before PathStep::begun was spent not asking for an object.
bool polled(const PlayedOp& op);
std::string_view to_string(Activity activity);

// Where the time from one update of all weights to another went.
struct CriticalPath {
  IterationRange range;
  Seconds from = 0, to = 0;  // of the iterations; the path may begin later, where the trace does
  std::vector<PathStep> steps;
};

// From the update before `range` (or, of a range that was traced from its very beginning, its first operation) to its
// last update. `range` is within Played::whole() and not empty.
CriticalPath critical_path(const Played& played, IterationRange range);

struct PathSums {
  std::vector<Seconds> compute;                  // by stage
  std::array<Seconds, kActivities> transfers{};  // and reductions, by activity; that of compute is 0
  Seconds polling = 0;                           // downloads whose object was there and not asked for yet
  Seconds late = 0;                              // others that had all they needed and had not begun
};
PathSums sums(const Played& played, const std::vector<PathStep>& steps);

}  // namespace funcpipe
