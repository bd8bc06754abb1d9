// How long the gradient of one stage takes to be summed over n replicas, played and by the least that any algorithm
// through storage needs.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "catalog/platform.h"
#include "comparison/play.h"

namespace funcpipe {

inline constexpr std::int64_t kSummedBytes = 256'000'000;  // of each replica

struct AllReducePoint {
  int replicas = 2;
  Seconds three_phase = 0, pipelined = 0;  // of one synchronisation in steady state; 0: the store refused it
  Seconds bound = 0;                       // 2 (1 - 1/n) s/w: every element comes down n-1 times twice
};

struct AllReduceCurves {
  std::string platform;
  BytesPerSecond uplink = 0, downlink = 0;  // of its largest function
  std::vector<AllReducePoint> points;
};

// Errors: cancelled.
Result<AllReduceCurves> all_reduce_curves(const Ground& ground, std::stop_token stop);

}  // namespace funcpipe
