// Finds the critical path of a span of time: the chain of operations that made it as long as it was. The chain goes
// back from the end of an operation to the operation it waited for, and so on.
#pragma once

#include <vector>

#include "base/clock.h"
#include "timeline/played.h"

namespace funcpipe {

// The part of an operation that is on the path. From `from` to `begun` the operation had all it needed and had not
// begun. For a download that waited for its object this means that the object was there and no request had asked for it
// yet.
struct PathStep {
  int op = -1;  // Index in Played::ops.
  Seconds from = 0;
  Seconds begun = 0;
  Seconds to = 0;
};

// Returns steps that follow each other without a break, in order of time. The last one ends at `until` or at the end of
// `op` if that is earlier; the first one begins at `from` or, if that is later, with the first traced operation.
std::vector<PathStep> walk_back(const Played& played, int op, Seconds until, Seconds from);

// What time is spent on.
enum class Activity {
  compute,          // forward, backward and update
  pipeline,         // transfers of activations and gradients across cuts
  synchronisation,  // transfers and sums of gradients between replicas, or between stages with a tied parameter
  data,             // loading training data
  housekeeping      // reports and releases
};
inline constexpr int kActivities = 5;
Activity activity_of(OpKind kind);
// Returns whether the time before PathStep::begun passed because nobody asked for an object that was there.
bool polled(const PlayedOp& op);
std::string_view to_string(Activity activity);

// The critical path from one update of all workers to another.
struct CriticalPath {
  IterationRange range;
  Seconds from = 0, to = 0;  // Time of the iterations. The path begins later if the trace does.
  std::vector<PathStep> steps;
};

// Returns the path from the last update before `range` to the last update in it. If the iteration before `range` was
// not traced, the path begins with the first operation of `range`. `range` is not empty and lies within
// Played::whole().
CriticalPath critical_path(const Played& played, IterationRange range);

struct PathSums {
  std::vector<Seconds> compute;                  // By stage.
  std::array<Seconds, kActivities> transfers{};  // Other activities, by activity; that of compute is 0.
  Seconds polling = 0;                           // Downloads whose object was there and not asked for yet.
  Seconds late = 0;                              // Other operations that had all they needed and had not begun.
};
PathSums sums(const Played& played, const std::vector<PathStep>& steps);

}  // namespace funcpipe
