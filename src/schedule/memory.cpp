#include "schedule/memory.h"

#include <algorithm>
#include <vector>

#include "schedule/sync/shards.h"

namespace funcpipe {
namespace {

// A worker that has loaded libtorch and its own code, nothing else: 117 to 156 MiB resident were measured.
constexpr Bytes kBase = 156 * kMiB;

constexpr double kLibraries = 20.0 * kMiB;     // what oneDNN and OpenBLAS set up once real layers run
constexpr double kHeapShare = 0.45;            // held by the heap between activations, as a share of them...
constexpr double kMostHeap = 256.0 * kMiB;     // ...blocks over 32 MiB do not come from the heap
constexpr double kPacking = 3;                 // a stage's file: its bytes, unpacked, and copied
constexpr double kMostKept = 160.0 * kMiB;     // of freed blocks that the heap keeps
constexpr double kTransferring = 12.0 * kMiB;  // heaps of the threads that move tensors, where any move
constexpr double kSynchronising = 4.8;         // of what others sum: parts and sums on their way up and down...
constexpr double kMostHeld = 64.0 * kMiB;      // ...and so much beyond what is staged; larger blocks are given back

Bytes scaled(Bytes bytes, std::int64_t samples, int described_samples) {
  return static_cast<Bytes>(static_cast<double>(bytes) * static_cast<double>(samples) / std::max(described_samples, 1));
}

// Bytes of the tensors at the cut after `layer`, of one described micro-batch.
struct Border {
  Bytes forward = 0, backward = 0;  // activations, and the gradients of those that have one
};

Border border_after(const ModelDescription& model, int layer) {
  Border border;
  for (const TensorSpec& tensor : model.layers[layer].border) {
    border.forward += tensor.bytes();
    if (tensor.requires_grad) border.backward += tensor.bytes();
  }
  return border;
}

// Returns the bytes staged for tied parameters: for each parameter that other stages use too, one gradient per other
// stage.
Bytes staged_ties(const Plan& plan, const ModelDescription& model, const std::vector<int>& parameters) {
  std::vector<int> users(model.parameters.size(), 0);
  const auto is_sound = [&](const StagePlan& stage) {
    return 0 <= stage.first_layer && stage.first_layer < stage.end_layer &&
           stage.end_layer <= static_cast<int>(model.layers.size());
  };
  for (const StagePlan& stage : plan.stages) {
    if (!is_sound(stage)) continue;  // validate() refuses such a plan.
    for (const int index : model.parameters_of(stage.first_layer, stage.end_layer)) ++users[index];
  }
  Bytes bytes = 0;
  for (const int index : parameters)
    if (model.parameters[index].trainable) bytes += model.parameters[index].bytes() * (users[index] - 1);
  return bytes;
}

}  // namespace

std::int64_t most_samples_in_flight(const Plan& plan, int stage) {
  const std::int64_t whole = std::int64_t{plan.most_in_flight(stage)} * plan.micro_batch;
  const int count = plan.micro_batch_count(), share = (count + plan.replicas - 1) / plan.replicas;
  // The smaller micro-batch is the last replica's. It counts only if the last replica alone has the largest share.
  const bool is_largest = plan.replicas == 1 || count % plan.replicas == 1;
  if (plan.most_in_flight(stage) < share || !is_largest) return whole;
  return whole - (std::int64_t{count} * plan.micro_batch - plan.global_batch);
}

int optimizer_copies(const std::string& optimizer) {
  return optimizer == "sgd" ? 0 : optimizer == "momentum" ? 1 : 2;
}

double peak_memory(const MemoryParts& parts) {
  const double weights = parts.parameters + parts.trainable * (1 + parts.optimizer_copies) + parts.buffers;
  const double computing = parts.kept + std::min(kHeapShare * parts.kept, kMostHeap) + parts.working;
  const auto staged =
      static_cast<double>(traits(parts.sync).staged(static_cast<Bytes>(parts.trainable), parts.replicas));
  const double synchronising =
      std::min(kSynchronising * parts.trainable * (parts.replicas - 1) / parts.replicas, staged + kMostHeld);
  const double training = computing + parts.moving + synchronising + parts.tied;
  // The stage's file is read and unpacked before the first forward, and written after the last update, as snapshots
  // are: not while tensors of an iteration are there, but the heap gives freed blocks of one use back to the other
  // only, not to the system, up to some size.
  const double packing = kPacking * (parts.parameters + parts.buffers);
  return parts.base + kLibraries + weights + std::max(training, packing) + std::min({training, packing, kMostKept}) +
         (parts.transfers ? kTransferring : 0) + parts.cached;
}

Bytes estimated_memory(const Plan& plan, const ModelDescription& model, int stage, const TrainingState& state) {
  const StagePlan& span = plan.stages[stage];
  MemoryParts parts{.base = static_cast<double>(kBase),
                    .optimizer_copies = state.optimizer_copies,
                    .replicas = plan.replicas,
                    .sync = plan.sync,
                    .transfers = plan.worker_count() > 1};
  const std::vector<int> used = model.parameters_of(span.first_layer, span.end_layer);
  for (const int index : used) {
    const auto bytes = static_cast<double>(model.parameters[index].bytes());
    parts.parameters += bytes;
    if (model.parameters[index].trainable) parts.trainable += bytes;
  }
  bool reads_input = false, reads_target = stage == plan.stage_count() - 1;
  for (int i = span.first_layer; i < span.end_layer; ++i) {
    for (const int input : model.layers[i].data_inputs) (input == 0 ? reads_input : reads_target) = true;
  }
  parts.cached = static_cast<double>((reads_input ? state.input_cache : 0) + (reads_target ? state.target_cache : 0));
  if (span.peak_bytes > 0)
    return span.peak_bytes + static_cast<Bytes>(parts.trainable * state.optimizer_copies + parts.cached);

  Bytes activations = 0, largest = 0, shared_state = 0;
  for (int i = span.first_layer; i < span.end_layer; ++i) {
    activations += model.layers[i].activation_bytes;
    largest = std::max(largest, model.layers[i].activation_bytes);
    parts.buffers += static_cast<double>(model.layers[i].buffer_bytes);
    shared_state += model.layers[i].shared_state_bytes;
  }
  const Border before = stage > 0 ? border_after(model, span.first_layer - 1) : Border{};
  const bool is_last = span.end_layer >= static_cast<int>(model.layers.size());
  const Border after = is_last ? Border{} : border_after(model, span.end_layer - 1);
  const std::int64_t in_flight = most_samples_in_flight(plan, stage), one = plan.micro_batch;
  const std::int64_t on_the_way = std::min(in_flight, one * kTransfersInFlight);
  parts.kept = static_cast<double>(scaled(activations + before.forward, in_flight, model.micro_batch) +
                                   shared_state * plan.most_in_flight(stage));
  // The largest layer's activations once more, as working space.
  parts.working = static_cast<double>(scaled(largest, one, model.micro_batch));
  parts.moving = static_cast<double>(scaled(after.backward, on_the_way, model.micro_batch));
  parts.tied = static_cast<double>(staged_ties(plan, model, used));
  return static_cast<Bytes>(peak_memory(parts));
}

}  // namespace funcpipe
