// Algorithms of synchronisation: how the gradients of a stage's replicas are summed through the store. An algorithm is
// one file beside this one and one row of registry.cpp, with its name, a function that writes its operations, and its
// cost in closed form. All other code looks algorithms up here; only comparisons with a named system name one.
// Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plan/plan.h"
#include "schedule/builder.h"

namespace funcpipe {

// The worker whose operations are written.
struct SyncPart {
  WorkerId worker;
  int replicas = 1;
  std::int64_t elements = 0;  // Elements of the flat gradient, 4 bytes each.
  int wait_after = -1;        // Operation after which to ask for other workers' parts; -1 means at once.
};

// A worker's bandwidths and the store's latencies, for the planner's predictions.
struct SyncLinks {
  BytesPerSecond uplink = 0, downlink = 0;
  Seconds put = 0, get = 0;
  double connections = 1;  // Requests that a lane has in flight.
};

// What one worker transfers in one iteration.
struct SyncTraffic {
  double up_bytes = 0, down_bytes = 0;
  double puts = 0, gets = 0;  // Only GETs that find their object count.
};

struct SyncTraits {
  std::string_view name;    // Name in plans and job files: "pipelined".
  std::string_view column;  // Name in a narrow table: "pipe".
  // A machine beside the functions sums (Plan::server). The planner does not predict such plans; the simulator takes
  // the times of their operations from the prediction with the algorithm `judged_as`.
  bool has_server = false;
  std::string_view judged_as;
  bool searched = false;  // The planner tries it unless the user names an algorithm.

  // In all of these `bytes` is the size of a stage's gradient, and `replicas` is at least 1.
  // Returns how many times the size of the gradient the CPU handles (copies, checksums) in uploads and downloads.
  double (*passes)(int replicas) = nullptr;
  // Returns the seconds from a worker's last backward to its sums, for at least 2 replicas. nullptr: not predicted.
  Seconds (*seconds)(double bytes, int replicas, const SyncLinks& links) = nullptr;
  // Returns a worker's traffic if no shard is empty. nullptr: not predicted.
  SyncTraffic (*traffic)(double bytes, int replicas) = nullptr;
  // Returns the most bytes, besides the gradient, that are in transfer or wait to be added.
  Bytes (*staged)(Bytes bytes, int replicas) = nullptr;
  // Appends a function's operations.
  void (*append)(ProgramBuilder& builder, const SyncPart& part) = nullptr;
  // Returns the machine's program. nullptr: there is no machine.
  Program (*server)(int replicas, std::int64_t elements) = nullptr;
};

// Returns all registered algorithms, the default first.
std::span<const SyncTraits* const> sync_algorithms();
// Aborts if the algorithm is not registered.
const SyncTraits& traits(SyncAlgorithm algorithm);
std::vector<SyncAlgorithm> searched_algorithms();
// Error: invalid_input; the hint lists the names there are.
Result<SyncAlgorithm> parse_sync_algorithm(std::string_view text);

}  // namespace funcpipe
