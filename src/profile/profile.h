// A profile: the time and memory that each layer of a model takes on each function size. `funcpipe profile` measures it
// inside functions of that size; the planner and the simulator read it. Format: docs/formats/profile.md.
//
// Times are seconds of the platform (dilation is divided out and `vcpu_speed` is applied) for one micro-batch.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"
#include "profile/model_description.h"

namespace funcpipe {

// A derived option was computed from another one by its share of vCPUs (profile/derive.h).
enum class Origin { measured, derived };

// Times of one layer on one function size.
struct LayerTime {
  bool fits = true;                                 // false: the memory did not suffice, and the figures are 0.
  Seconds forward = 0, backward = 0;                // Medians over the repetitions after the warm-up.
  Seconds forward_spread = 0, backward_spread = 0;  // Interquartile ranges.
  Seconds warm_up = 0;  // Time of loading the layer and of its first pass, less forward + backward.
};

// Sizes of one layer, the same on every function size.
struct LayerSizes {
  // Bytes that its forward allocates and its backward needs: its output, but neither its input nor its parameters.
  // Measured at the allocator.
  Bytes activations = 0;
  Bytes working = 0;          // Most bytes allocated beyond `activations` while it runs forward or backward.
  Bytes border = 0;           // Bytes of the tensors that a cut after it sends forward.
  Bytes border_gradient = 0;  // Bytes of the gradients that come back across that cut.
};

struct MicroBatchProfile {
  int micro_batch = 0;                        // samples
  std::vector<LayerSizes> sizes;              // [layer]
  std::vector<std::vector<LayerTime>> times;  // [option][layer]
};

// An option: one function size, with what does not depend on the micro-batch.
struct OptionProfile {
  int memory_mb = 0;
  double vcpus = 0;
  int threads = 1;  // Threads of one operation.
  Origin origin = Origin::measured;
  Seconds cold_start = 0;       // From the invocation of a new instance to its first request; libtorch is loaded then.
  Seconds update_per_byte = 0;  // Time of an optimiser step per byte of trainable parameters.
  // CPU seconds on one vCPU that a transfer costs the function besides its time on the network.
  Seconds transfer_cpu_per_byte = 0, transfer_cpu_per_request = 0;
};

struct Profile {
  static constexpr int kVersion = 1;
  ModelDescription model;          // Its sizes are for model.micro_batch samples.
  std::string platform;            // Platform::name
  std::string machine;             // Where it was measured: CPU and emulator, or the cloud's region.
  std::string date;                // YYYY-MM-DD
  std::string optimizer;           // Optimiser whose update was timed: sgd, momentum or adam.
  double vcpu_speed = 1;           // Speed of one platform vCPU relative to a core of `machine`; already applied.
  bool vcpu_speed_given = false;   // The user gave vcpu_speed; for `platform` it replaces the figure in its file.
  double parallel_efficiency = 1;  // Measured gain of each vCPU beyond the first (relative_speed, profile/derive.h).
  Bytes base_memory = 0;           // Resident memory of a worker that has only loaded its code and libtorch.
  std::vector<OptionProfile> options;            // By ascending memory, then vCPUs.
  std::vector<MicroBatchProfile> micro_batches;  // Ascending; never empty.

  int layer_count() const { return static_cast<int>(model.layers.size()); }
  // Returns the bytes of the trainable parameters of layers [first_layer, end_layer); each parameter counts once.
  Bytes trainable_bytes(int first_layer, int end_layer) const;
};

nlohmann::json to_json(const Profile& profile);
// Error: invalid_input for another version, an unknown or missing key, a figure that is negative or not finite, and
// tables of unequal length. It names the place: "profile.json: micro_batches[0].times[2][17].forward".
Result<Profile> profile_from_json(const nlohmann::json& json, const std::string& place);
Result<Profile> load_profile(const std::filesystem::path& file);
// Writes a value that fits into a line, such as a layer, in one line, so that the file can be read.
Result<> save_profile(const Profile& profile, const std::filesystem::path& file);

// Returns the profile at `micro_batch` samples. A size that was not measured lies on the line through two measured
// ones: the next smaller and the next larger, or the two at that end of the range; with only one measured size, on the
// line through zero. A layer does not fit if it does not fit at the next larger measured size (beyond the range: the
// largest).
MicroBatchProfile at_micro_batch(const Profile& profile, int micro_batch);

}  // namespace funcpipe
