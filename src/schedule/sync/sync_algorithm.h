// How the gradients of a stage's replicas are summed through the store. An algorithm is one file beside this one, and
// one row of registry.cpp: its name, the operations it writes, and what they cost in closed form. Job files, plans, the
// planner, the simulator and the timeline read that. Only what compares with a system by name names its algorithm.
// Thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "plan/plan.h"
#include "schedule/builder.h"

namespace funcpipe {

// One worker's part.
struct SyncPart {
  WorkerId worker;
  int replicas = 1;
  std::int64_t elements = 0;  // of the flat gradient, 4 bytes each
  int wait_after = -1;        // operation after which waiting for peers' parts makes sense; -1: at once
};

// A worker's links and the store's latencies, as the planner counts with them.
struct SyncLinks {
  BytesPerSecond uplink = 0, downlink = 0;
  Seconds put = 0, get = 0;
  double connections = 1;  // requests of one lane at once
};

// Of one worker in one iteration.
struct SyncTraffic {
  double up_bytes = 0, down_bytes = 0;
  double puts = 0, gets = 0;  // GETs that find their object
};

struct SyncTraits {
  std::string_view name;    // in plans and job files: "pipelined"
  std::string_view column;  // in a narrow table: "pipe"
  // A machine beside the functions sums (Plan::server); the planner does not predict such plans, and simulations say
  // what `judged_as` would take.
  bool has_server = false;
  std::string_view judged_as;
  bool searched = false;  // by the planner, unless it is told which

  // Passes over the gradient of the CPU that handles what goes up and comes down.
  double (*passes)(int replicas) = nullptr;
  // `bytes`: of a stage's gradient. `replicas`: at least 1.
  // From a worker's last backward to its sums, of at least 2 replicas. nullptr: not predicted.
  Seconds (*seconds)(double bytes, int replicas, const SyncLinks& links) = nullptr;
  // Where every shard has elements.
  SyncTraffic (*traffic)(double bytes, int replicas) = nullptr;
  // Bytes on their way or waiting to be added, at most, beside the gradient.
  Bytes (*staged)(Bytes bytes, int replicas) = nullptr;
  void (*append)(ProgramBuilder& builder, const SyncPart& part) = nullptr;
  // The machine's program.
  Program (*server)(int replicas, std::int64_t elements) = nullptr;
};

// All of them, the default first.
std::span<const SyncTraits* const> sync_algorithms();
const SyncTraits& traits(SyncAlgorithm algorithm);  // of one that is registered
std::vector<SyncAlgorithm> searched_algorithms();
// Error: invalid_input, naming those there are.
Result<SyncAlgorithm> parse_sync_algorithm(std::string_view text);

}  // namespace funcpipe
