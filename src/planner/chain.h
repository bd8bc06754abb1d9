// A chain: the planner's view of a model on a platform at one micro-batch size, as numbers by layer and function size.
// Sizes are bytes and times seconds.
#pragma once

#include <limits>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "catalog/platform.h"
#include "plan/plan.h"
#include "profile/profile.h"
#include "schedule/memory.h"

namespace funcpipe {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct ChainLayer {
  double parameters = 0, trainable = 0;  // Only of parameters that no other layer uses.
  double buffers = 0;
  double shared_state = 0;                 // What replica 0 sends the others in every iteration.
  double activations = 0, working = 0;     // Of one micro-batch (LayerSizes, profile/profile.h).
  double border = 0, border_gradient = 0;  // Of one micro-batch, across a cut after this layer.
  bool reads_input = false, reads_target = false;
};

// A parameter that several layers use. A stage holds it once. Stages that share it sum its gradient.
struct SharedParameter {
  double bytes = 0, trainable = 0;
  std::vector<int> layers;  // ascending
};

struct ChainOption {
  int memory_mb = 0;
  double vcpus = 0;
  bool names_vcpus = false;  // Several sizes have this memory, so a plan has to name the vCPUs too.
  int threads = 1;
  BytesPerSecond uplink = 0, downlink = 0;
  Dollars per_second = 0;  // Price of one function while it runs.
  Seconds cold_start = 0;
  Seconds update_per_byte = 0;
  Seconds transfer_per_byte = 0, transfer_per_request = 0;  // How much a transfer delays the compute lane.

  SizeChoice choice() const { return {memory_mb, names_vcpus ? vcpus : 0}; }
};

struct Chain {
  int micro_batch = 0;  // samples
  std::vector<ChainLayer> layers;
  std::vector<SharedParameter> shared;
  std::vector<ChainOption> options;
  std::vector<std::vector<Seconds>> forward, backward;  // [option][layer]; infinity if the layer does not fit.
  std::vector<std::vector<Seconds>> warm_up;            // [option][layer]; once for each function.
  Latency latency;
  Burst burst;
  Prices prices;
  Limits limits;
  StoreLimits store;
  bool memory_limited = true;
  double base_memory = 0;
  TrainingState state;
  int connections = 4;  // Requests that a transfer lane has in flight.

  int layer_count() const { return static_cast<int>(layers.size()); }
};

// Makes the chain of a profile at `micro_batch` samples. A profile of another platform is first adapted to `platform`
// (adapt_to, profile/derive.h), so that all users of a chain see the same function sizes. Error: invalid_input if the
// profile and the platform have no function size in common; it lists those of both.
Result<Chain> make_chain(const Profile& profile, const Platform& platform, int micro_batch, const TrainingState& state,
                         int connections);

}  // namespace funcpipe
