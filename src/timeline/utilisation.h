// How much of a stretch of time each lane of each worker was busy, and what it waited for when it was not.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "timeline/critical_path.h"
#include "timeline/played.h"

namespace funcpipe {

// A lane stands still: between the operations before and `next`.
struct Gap {
  int worker = 0;
  Lane lane = Lane::compute;
  Seconds from = 0, to = 0;
  int next = -1;  // index in Played::ops; -1: nothing more was traced
  Seconds seconds() const { return to - from; }
};

// A worker's time, by what its compute lane did or waited for: what moved meanwhile, or another worker's computing
// (a bubble). All together: the whole of it.
struct Shares {
  Seconds compute = 0;
  Seconds pipeline = 0;
  Seconds synchronisation = 0;  // reductions too
  Seconds bubble = 0;
  Seconds polling = 0;  // an object was there and nobody asked for it
  Seconds data = 0;
  Seconds other = 0;  // nothing held it up, or nothing that was traced
  Seconds sum() const { return compute + pipeline + synchronisation + bubble + polling + data + other; }
};

struct WorkerUse {
  std::array<Seconds, kLanes> busy{};         // at least one operation is under way and moves
  std::array<std::vector<Gap>, kLanes> gaps;  // in order of time
  Shares shares;
};

// Of these workers, on average; none: no time at all.
Shares mean_shares(std::span<const WorkerUse> workers);

struct Utilisation {
  Seconds from = 0, to = 0;
  std::vector<WorkerUse> workers;  // as Played::programs
  int functions = 0;               // of them; what is left is a parameter server, which comes last
  Shares shares() const;           // of all functions together, on average
};

Utilisation utilisation(const Played& played, Seconds from, Seconds to);

// What lay between the operation before the gap and the one after it, in order of time.
std::vector<PathStep> chain_of(const Played& played, const Gap& gap);

}  // namespace funcpipe
