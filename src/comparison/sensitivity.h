// How the comparison changes with the network: the same platform with other bandwidths and latencies.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "comparison/cell.h"

namespace funcpipe {

struct Network {
  double bandwidth = 1, latency = 1;  // times the platform's
};
// The platform itself first.
inline constexpr Network kNetworks[] = {{1, 1}, {0.25, 1}, {0.5, 1}, {2, 1}, {4, 1}, {1, 0.25}, {1, 4}};

struct SensitivityRow {
  Network network;
  std::optional<PlayedPlan> framework;  // the best of LambdaML, HybridPS and their -GA; nullopt: none is feasible
  std::optional<PlayedPlan> published, ours;
};  // each of least seconds x dollars

struct Sensitivity {
  std::string model, platform;
  int batch = 0;
  std::vector<SensitivityRow> rows;  // as kNetworks
};

// One row. Errors: cancelled, invalid_input.
Result<SensitivityRow> with_network(const Ground& ground, int batch, const Network& network, std::stop_token stop);

}  // namespace funcpipe
