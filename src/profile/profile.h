// What a model costs to train, layer by layer, on each function size: measured inside functions of that size by
// `funcpipe profile`, read by the planner and the simulator. Format: docs/formats/profile.md.
//
// Times are seconds of the platform: dilation is divided out and `vcpu_speed` applied. All of them are of one
// micro-batch.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "profile/model_description.h"

namespace funcpipe {

enum class Origin { measured, derived };  // derived: from another option by its vCPU share (profile/derive.h)

// One layer on one function size.
struct LayerTime {
  bool fits = true;                                 // false: there was not memory enough; the figures are 0 then
  Seconds forward = 0, backward = 0;                // medians over the repetitions, warm-up left out
  Seconds forward_spread = 0, backward_spread = 0;  // interquartile ranges
  Seconds warm_up = 0;  // loading it and its first pass take together beyond forward + backward
};

// One layer on any size.
struct LayerSizes {
  Bytes activations = 0;      // live between the end of its forward and its backward that were not before: its output
                              // included, its input and parameters not. Measured at the allocator.
  Bytes working = 0;          // most that was live beyond `activations` while it ran forward or backward
  Bytes border = 0;           // tensors a cut after it sends forward
  Bytes border_gradient = 0;  // and gradients it sends back
};

struct MicroBatchProfile {
  int micro_batch = 0;                        // samples
  std::vector<LayerSizes> sizes;              // [layer]
  std::vector<std::vector<LayerTime>> times;  // [option][layer]
};

// One function size, as far as it does not depend on the micro-batch.
struct OptionProfile {
  int memory_mb = 0;
  double vcpus = 0;
  int threads = 1;  // of one operation
  Origin origin = Origin::measured;
  Seconds cold_start = 0;       // from the invocation of a new instance to its first request: process, libtorch
  Seconds update_per_byte = 0;  // optimiser step, per byte of trainable parameters
  // CPU seconds a transfer takes of the function, besides its time on the network; on one vCPU.
  Seconds transfer_cpu_per_byte = 0, transfer_cpu_per_request = 0;
};

struct Profile {
  static constexpr int kVersion = 1;
  ModelDescription model;              // its sizes are at model.micro_batch
  std::string platform;                // Platform::name
  std::string machine;                 // where it was measured: CPU and emulator, or the cloud's region
  std::string date;                    // YYYY-MM-DD
  std::string optimizer;               // whose update was timed: sgd | momentum | adam
  double vcpu_speed = 1;               // speed of one platform vCPU relative to one core of `machine` (already applied)
  bool vcpu_speed_given = false;       // by whoever profiled: it stands for `platform`, whatever that one's file says
  double parallel_efficiency = 1;      // of each vCPU beyond the first, measured; used for derived options
  Bytes base_memory = 0;               // resident in a worker that has loaded its code and libtorch, and nothing else
  std::vector<OptionProfile> options;  // ascending memory, then vCPUs
  std::vector<MicroBatchProfile> micro_batches;  // ascending; never empty

  int layer_count() const { return static_cast<int>(model.layers.size()); }
  // Of layers [first, end), summed, every parameter once.
  Bytes trainable_bytes(int first_layer, int end_layer) const;
};

nlohmann::json to_json(const Profile& profile);
// Errors: invalid_input (another version, a key unknown or missing, a figure negative or not finite, tables of unequal
// length), with the place of the first wrong figure: "profile.json: micro_batches[0].times[2][17].forward".
Result<Profile> profile_from_json(const nlohmann::json& json, const std::string& place);
Result<Profile> load_profile(const std::filesystem::path& file);
// Readable: what fits in a line is in one line, so a layer is.
Result<> save_profile(const Profile& profile, const std::filesystem::path& file);

// The profile at `micro_batch` samples: as measured, or on the line through the two nearest measured sizes (through
// zero where only one was measured). Layers that do not fit at the next larger measured size do not fit.
MicroBatchProfile at_micro_batch(const Profile& profile, int micro_batch);

}  // namespace funcpipe
