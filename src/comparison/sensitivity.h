// How the comparison changes with the network: the same platform is compared with other bandwidths and latencies.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

struct Network {
  double bandwidth = 1, latency = 1;  // Multiples of the platform's.
};
// The first is the platform itself.
inline constexpr Network kNetworks[] = {{1, 1}, {0.25, 1}, {0.5, 1}, {2, 1}, {4, 1}, {1, 0.25}, {1, 4}};

// The plans of least seconds x dollars on one network; nullopt if none is feasible.
struct SensitivityRow {
  Network network;
  std::optional<PlayedPlan> framework;  // The best of LambdaML, HybridPS and their -GA variants.
  std::optional<PlayedPlan> published, ours;
};

struct Sensitivity {
  std::string model, platform;
  int batch = 0;
  std::vector<SensitivityRow> rows;  // In the order of kNetworks.
};

// Computes one row. Errors: cancelled, invalid_input.
Result<SensitivityRow> with_network(const Ground& ground, int batch, const Network& network, std::stop_token stop);

}  // namespace funcpipe
