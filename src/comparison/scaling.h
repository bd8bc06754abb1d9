// Samples a second against the number of functions: weak scaling, each replica's share of the batch stays.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

inline constexpr int kMostWorkers = 512;

struct ScalingPoint {
  int workers = 0, batch = 0;
  double throughput = 0;            // samples a second
  double throughput_unlimited = 0;  // if the store took any number of requests and bytes from all together
};

struct ScalingCurve {
  System system = System::ours;
  Plan plan;  // of one replica; the others are like it
  std::vector<ScalingPoint> points;
  std::string ended;    // why there are no more; empty: kMostWorkers
  std::string refused;  // why the first with a throughput of 0 has none
};

struct Scaling {
  std::string model, platform;
  int batch = 0;  // of the cell whose plans are multiplied
  std::vector<ScalingCurve> curves;
};

// Of each system with a program, its plan of least seconds x dollars in `cell` with 1, 2, 4, ... replicas of its
// stages. Errors: cancelled.
Result<Scaling> scaling(const Ground& ground, const Cell& cell, std::stop_token stop);

}  // namespace funcpipe
