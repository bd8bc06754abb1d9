// A plan says how a model is trained: cuts, memory per stage, replicas, micro-batches, pipeline order and
// synchronisation. The planner or the user writes it as a file (schedule/plan_file.h, docs/formats/plan.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "catalog/platform.h"
#include "profile/model_description.h"

namespace funcpipe {

enum class PipelineOrder {
  gpipe,                    // all forwards, then all backwards
  one_forward_one_backward  // as many forwards as there are later stages, then a forward and a backward in turn
};
// How the gradients of a stage's replicas are summed, by the name of an algorithm in schedule/sync/registry.cpp.
class SyncAlgorithm {
 public:
  constexpr SyncAlgorithm() = default;
  // Keeps a reference to the name's characters, which have to live longer.
  constexpr explicit SyncAlgorithm(std::string_view name) : name_(name) {}
  constexpr std::string_view name() const { return name_; }
  bool operator==(const SyncAlgorithm&) const = default;

  static const SyncAlgorithm pipelined;         // FuncPipe's scatter-reduce.
  static const SyncAlgorithm three_phase;       // LambdaML's scatter-reduce.
  static const SyncAlgorithm parameter_server;  // A machine sums (HybridPS); only for plans of one stage.

 private:
  std::string_view name_ = "pipelined";
};
inline constexpr SyncAlgorithm SyncAlgorithm::pipelined{"pipelined"};
inline constexpr SyncAlgorithm SyncAlgorithm::three_phase{"three-phase"};
inline constexpr SyncAlgorithm SyncAlgorithm::parameter_server{"parameter-server"};
std::string_view to_string(PipelineOrder order);  // "gpipe", "1f1b"
inline std::string_view to_string(SyncAlgorithm algorithm) {
  return algorithm.name();
}
Result<PipelineOrder> parse_pipeline_order(std::string_view text);

struct StagePlan {
  int first_layer = 0;
  int end_layer = 0;  // One past the last layer.
  int memory_mb = 0;  // 0: not chosen yet. A job takes its platform.memory_mb, or the smallest size that suffices.
  double vcpus = 0;   // 0: the vCPUs that the platform gives with that memory.
  int threads = 0;    // Threads of one operation, as profiled; 0: the job's training.threads.
  // Peak memory of a worker without optimiser state and cached data, by the profile; 0: estimated from the model's
  // description.
  Bytes peak_bytes = 0;

  SizeChoice size() const { return {memory_mb, vcpus}; }
};

// Consecutive samples of the global batch that pass through the pipeline together.
struct MicroBatch {
  int index = 0;         // 0..M-1, where M is Plan::micro_batch_count().
  int first_sample = 0;  // Index in the global batch.
  int samples = 0;
};

struct WorkerId {
  int stage = 0;
  int replica = 0;
  auto operator<=>(const WorkerId&) const = default;
};
inline constexpr WorkerId kParameterServer{.stage = -1};  // Sums for the others; it is a machine, not a function.
std::string to_string(WorkerId worker);                   // "stage 1 replica 0", "the parameter server"

struct Plan {
  static constexpr int kVersion = 1;
  std::string model;        // ModelDescription::source
  std::string fingerprint;  // ModelDescription::fingerprint; empty, as in a hand-written plan, means not checked.
  std::vector<StagePlan> stages;
  int replicas = 1;
  int global_batch = 0;  // Samples of one iteration.
  int micro_batch = 0;   // Samples of one micro-batch; the last one of the global batch may be smaller.
  PipelineOrder order = PipelineOrder::gpipe;
  SyncAlgorithm sync;
  std::string server;  // Name of the machine that sums if `sync` needs one (catalog/parameter_server.h), else empty.

  bool has_server() const { return !server.empty(); }
  int stage_count() const { return static_cast<int>(stages.size()); }
  int worker_count() const { return stage_count() * replicas; }  // Number of functions, without the parameter server.
  int micro_batch_count() const { return (global_batch + micro_batch - 1) / micro_batch; }
  // Returns the share of replica r of d: micro-batches [r*M/d, (r+1)*M/d), where M is micro_batch_count(). Shares
  // differ by at most one; in a valid plan none is empty.
  std::vector<MicroBatch> micro_batches_of(int replica) const;
  // Returns of how many micro-batches a worker keeps activations at once: docs/algorithms.md, "Pipeline order".
  int most_in_flight(int stage) const;
  // Returns stage * replicas + replica; the parameter server comes last.
  int rank(WorkerId worker) const {
    return worker == kParameterServer ? worker_count() : worker.stage * replicas + worker.replica;
  }
  std::vector<WorkerId> workers() const;  // All workers by rank, with the parameter server if there is one.
};

// Returns the function sizes of the stages in order, with runs of equal ones counted: "2x2048 3072",
// "2x2048:0.5 3072:1".
std::string memory_text(const Plan& plan);

// Makes a plan of `stages` stages whose costs are as equal as possible: the largest is least. `costs` has one finite,
// non-negative figure per layer; if it is empty, a layer costs its parameter and activation bytes. The function sizes
// are left 0. A `micro_batch` larger than `global_batch` is reduced to it. Error: invalid_input.
Result<Plan> even_plan(const ModelDescription& model, int stages, int replicas, int global_batch, int micro_batch,
                       const std::vector<double>& costs = {});

}  // namespace funcpipe
