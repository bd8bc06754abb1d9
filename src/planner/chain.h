// The planner's view of a model on a platform at one micro-batch size: a chain of layers, in numbers only.
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
  double parameters = 0, trainable = 0;  // bytes used by this layer alone
  double buffers = 0;
  double shared_state = 0;                 // bytes that replica 0 sends the others every iteration
  double activations = 0, working = 0;     // bytes of one micro-batch (LayerSizes)
  double border = 0, border_gradient = 0;  // likewise, of a cut after this layer
  bool reads_input = false, reads_target = false;
};

// A parameter that several layers use. A stage holds it once; stages that share it add up their gradients.
struct SharedParameter {
  double bytes = 0, trainable = 0;
  std::vector<int> layers;  // ascending
};

struct ChainOption {
  int memory_mb = 0;
  double vcpus = 0;
  bool names_vcpus = false;  // several sizes have this memory: a plan has to say both
  int threads = 1;
  BytesPerSecond uplink = 0, downlink = 0;
  Dollars per_second = 0;  // of one function, as it is billed
  Seconds cold_start = 0;
  Seconds update_per_byte = 0;
  Seconds transfer_per_byte = 0, transfer_per_request = 0;  // of the compute lane, beside the network

  SizeChoice choice() const { return {memory_mb, names_vcpus ? vcpus : 0}; }
};

struct Chain {
  int micro_batch = 0;  // samples
  std::vector<ChainLayer> layers;
  std::vector<SharedParameter> shared;
  std::vector<ChainOption> options;
  std::vector<std::vector<Seconds>> forward, backward;  // [option][layer]; infinity: does not fit
  std::vector<std::vector<Seconds>> warm_up;            // [option][layer], once for each function
  Latency latency;
  Burst burst;
  Prices prices;
  Limits limits;
  StoreLimits store;  // of all functions together
  bool memory_limited = true;
  double base_memory = 0;
  TrainingState state;
  int connections = 4;  // requests of a lane in flight

  int layer_count() const { return static_cast<int>(layers.size()); }
};

// A profile of another platform is adapted to this one first (adapt_to, profile/derive.h), so whoever plans, judges or
// plays a plan speaks of the same function sizes. Errors: invalid_input: the profile and the platform have no function
// size in common (with those of both).
Result<Chain> make_chain(const Profile& profile, const Platform& platform, int micro_batch, const TrainingState& state,
                         int connections);

}  // namespace funcpipe
