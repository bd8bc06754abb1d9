// Weak scaling: samples a second by the number of functions, where each replica's share of the batch stays the same.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

inline constexpr int kMostWorkers = 512;

struct ScalingPoint {
  int workers = 0, batch = 0;
  double throughput = 0;            // Samples a second; 0 if the job fails.
  double throughput_unlimited = 0;  // Samples a second if the store had no limits.
};

struct ScalingCurve {
  System system = System::ours;
  Plan plan;  // The plan with one replica.
  std::vector<ScalingPoint> points;
  std::string ended;    // Why there are no more points; empty if kMostWorkers is the reason.
  std::string refused;  // Why the first point with a throughput of 0 failed.
};

struct Scaling {
  std::string model, platform;
  int batch = 0;  // Global batch of the cell whose plans are used.
  std::vector<ScalingCurve> curves;
};

// Simulates, for LambdaML-GA, FuncPipe as published and System::ours, the plan of least seconds x dollars in `cell`
// with 1, 2, 4, ... replicas. Error: cancelled.
Result<Scaling> scaling(const Ground& ground, const Cell& cell, std::stop_token stop);

}  // namespace funcpipe
