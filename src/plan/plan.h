// A Plan says how a model is trained: cuts, memory per stage, replicas, micro-batches, pipeline order, synchronisation.
// It is a file (schedule/plan_file.h): the planner or a person writes it, schedule, worker, simulator and report read
// it.
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
  one_forward_one_backward  // as many forwards as stages follow, then a forward and a backward in turn
};
// How the gradients of a stage's replicas are summed: one of those that schedule/sync/registry.cpp lists, by name.
class SyncAlgorithm {
 public:
  constexpr SyncAlgorithm() = default;
  // The name is kept, not copied.
  constexpr explicit SyncAlgorithm(std::string_view name) : name_(name) {}
  constexpr std::string_view name() const { return name_; }
  bool operator==(const SyncAlgorithm&) const = default;

  static const SyncAlgorithm pipelined;         // FuncPipe's scatter-reduce
  static const SyncAlgorithm three_phase;       // LambdaML's
  static const SyncAlgorithm parameter_server;  // of one stage: through a machine that sums (HybridPS)

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
  int end_layer = 0;  // one past the last
  int memory_mb = 0;  // 0: the platform's largest option
  double vcpus = 0;   // 0: what the platform gives with that memory
  int threads = 0;    // of one operation, as profiled; 0: the job's training.threads
  // A worker's peak without optimiser state and cached data, as a profile has it; 0: estimated from the description.
  Bytes peak_bytes = 0;

  SizeChoice size() const { return {memory_mb, vcpus}; }
};

// A run of consecutive samples of the global batch.
struct MicroBatch {
  int index = 0;  // within the global batch: 0..M-1
  int first_sample = 0;
  int samples = 0;
};

struct WorkerId {
  int stage = 0;
  int replica = 0;
  auto operator<=>(const WorkerId&) const = default;
};
inline constexpr WorkerId kParameterServer{.stage = -1};  // sums for the others; a machine, not a function
std::string to_string(WorkerId worker);                   // "stage 1 replica 0", "the parameter server"

struct Plan {
  static constexpr int kVersion = 1;
  std::string model;        // ModelDescription::source
  std::string fingerprint;  // ModelDescription::fingerprint; empty in a hand-written plan: not checked
  std::vector<StagePlan> stages;
  int replicas = 1;
  int global_batch = 0;  // samples per iteration
  int micro_batch = 0;   // samples; the last micro-batch of the global batch may be smaller
  PipelineOrder order = PipelineOrder::gpipe;
  SyncAlgorithm sync;
  std::string server;  // the machine that sums, where `sync` has one (catalog/parameter_server.h); else empty

  bool has_server() const { return !server.empty(); }
  int stage_count() const { return static_cast<int>(stages.size()); }
  int worker_count() const { return stage_count() * replicas; }  // functions; without the parameter server
  int micro_batch_count() const { return (global_batch + micro_batch - 1) / micro_batch; }
  // Replica r plays micro-batches [r*M/d, (r+1)*M/d): uneven shares, none empty in a valid plan.
  std::vector<MicroBatch> micro_batches_of(int replica) const;
  // Whose activations a worker keeps at once: docs/algorithms.md, "Pipeline order".
  int most_in_flight(int stage) const;
  // stage * replicas + replica; the parameter server comes last.
  int rank(WorkerId worker) const {
    return worker == kParameterServer ? worker_count() : worker.stage * replicas + worker.replica;
  }
  std::vector<WorkerId> workers() const;  // all of them by rank, the parameter server too
};

// "2x2048 3072", "2x2048:0.5 3072:1": the sizes of its stages in order, runs of equal ones counted.
std::string memory_text(const Plan& plan);

// Cuts of about equal cost (parameter plus activation bytes) for `--stages K --replicas D`, every stage at `memory_mb`.
// `costs`: one figure per layer to balance; empty: bytes of the description.
Result<Plan> even_plan(const ModelDescription& model, int stages, int replicas, int global_batch, int micro_batch,
                       const std::vector<double>& costs = {});

}  // namespace funcpipe
