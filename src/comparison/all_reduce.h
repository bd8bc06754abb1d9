// How long it takes to sum the gradient of one stage over n replicas: as simulated, and the least time of any algorithm
// through a store.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "catalog/platform.h"
#include "comparison/play.h"

namespace funcpipe {

inline constexpr std::int64_t kSummedBytes = 256'000'000;  // Size of the gradient of each replica.

struct AllReducePoint {
  int replicas = 2;
  Seconds three_phase = 0, pipelined = 0;  // One synchronisation in steady state; 0 if its job fails.
  // 2 (1 - 1/n) s/w for s bytes and a downlink of w bytes/s: a worker downloads n-1 parts and n-1 sums of s/n bytes.
  Seconds bound = 0;
};

struct AllReduceCurves {
  std::string platform;
  BytesPerSecond uplink = 0, downlink = 0;  // Of the function size with the largest downlink.
  std::vector<AllReducePoint> points;
};

// Errors: cancelled.
Result<AllReduceCurves> all_reduce_curves(const Ground& ground, std::stop_token stop);

}  // namespace funcpipe
