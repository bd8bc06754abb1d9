// Tells how much of a span of time each lane of each worker was busy, and what it waited for when it was not.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "timeline/critical_path.h"
#include "timeline/played.h"

namespace funcpipe {

// A time in which a lane was idle. It ends with operation `next`.
struct Gap {
  int worker = 0;
  Lane lane = Lane::compute;
  Seconds from = 0, to = 0;
  int next = -1;  // Index in Played::ops; -1 if no further operation was traced.
  Seconds seconds() const { return to - from; }
};

// A worker's time by what its compute lane did or waited for. The parts add up to the whole span.
struct Shares {
  Seconds compute = 0;          // It computed, without summing gradients.
  Seconds pipeline = 0;         // It waited for transfers across cuts.
  Seconds synchronisation = 0;  // It summed gradients or waited for synchronisation.
  Seconds bubble = 0;           // It waited for another worker's computing.
  Seconds polling = 0;          // An object was there and nobody had asked for it yet.
  Seconds data = 0;             // It waited for training data.
  Seconds other = 0;            // It waited for housekeeping, for nothing, or for nothing that was traced.
  Seconds sum() const { return compute + pipeline + synchronisation + bubble + polling + data + other; }
};

struct WorkerUse {
  std::array<Seconds, kLanes> busy{};         // Time in which at least one operation of the lane was active.
  std::array<std::vector<Gap>, kLanes> gaps;  // In order of time.
  Shares shares;
};

// Returns the mean of the workers' shares; zeros if there are no workers.
Shares mean_shares(std::span<const WorkerUse> workers);

struct Utilisation {
  Seconds from = 0, to = 0;
  std::vector<WorkerUse> workers;  // In the order of Played::programs.
  int functions = 0;               // Workers without the parameter server, which comes last.
  Shares shares() const;           // Mean of all functions.
};

Utilisation utilisation(const Played& played, Seconds from, Seconds to);

// Returns the chain of operations that explains a gap: from the operation after it back to its beginning, in order of
// time.
std::vector<PathStep> chain_of(const Played& played, const Gap& gap);

}  // namespace funcpipe
