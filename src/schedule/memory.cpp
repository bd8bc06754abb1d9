#include "schedule/memory.h"

#include <algorithm>
#include <vector>

#include "schedule/sync/shards.h"

namespace funcpipe {
namespace {

// Memory of a worker that has only loaded its code and libtorch. Measured: 117 to 156 MiB resident; the rest is a
// margin for unused heap and the stacks of the lanes.
constexpr Bytes kBase = 200 * kMiB;
Bytes scaled(Bytes bytes, std::int64_t samples, int described_samples) {
  return static_cast<Bytes>(static_cast<double>(bytes) * static_cast<double>(samples) / std::max(described_samples, 1));
}

// Returns the bytes of one micro-batch, at the description's size, that cross the cut after `layer`: the tensors sent
// forward and the gradients sent back.
Bytes border_bytes(const ModelDescription& model, int layer) {
  Bytes bytes = 0;
  for (const TensorSpec& tensor : model.layers[layer].border) bytes += tensor.bytes() * (tensor.requires_grad ? 2 : 1);
  return bytes;
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

Bytes estimated_memory(const Plan& plan, const ModelDescription& model, int stage, const TrainingState& state) {
  const StagePlan& span = plan.stages[stage];
  Bytes parameters = 0, trainable = 0;
  const std::vector<int> used = model.parameters_of(span.first_layer, span.end_layer);
  for (const int index : used) {
    const Bytes bytes = model.parameters[index].bytes();
    parameters += bytes;
    if (model.parameters[index].trainable) trainable += bytes;
  }
  bool reads_input = false, reads_target = stage == plan.stage_count() - 1;
  for (int i = span.first_layer; i < span.end_layer; ++i) {
    for (const int input : model.layers[i].data_inputs) (input == 0 ? reads_input : reads_target) = true;
  }
  const Bytes cached = (reads_input ? state.input_cache : 0) + (reads_target ? state.target_cache : 0);
  const Bytes of_the_job = trainable * state.optimizer_copies + cached;
  if (span.peak_bytes > 0) return span.peak_bytes + of_the_job;

  Bytes activations = 0, largest = 0, buffers = 0, shared_state = 0;
  for (int i = span.first_layer; i < span.end_layer; ++i) {
    activations += model.layers[i].activation_bytes;
    largest = std::max(largest, model.layers[i].activation_bytes);
    buffers += model.layers[i].buffer_bytes;
    shared_state += model.layers[i].shared_state_bytes;
  }
  Bytes borders = 0;
  if (stage > 0) borders += border_bytes(model, span.first_layer - 1);
  if (span.end_layer < static_cast<int>(model.layers.size())) borders += border_bytes(model, span.end_layer - 1);

  const std::int64_t in_flight = most_samples_in_flight(plan, stage), one = plan.micro_batch;
  // Activations are kept from forward to backward. The largest layer's count once more, as working space. Shared state
  // counts for every micro-batch in flight: a forward writes to it, and its backward needs the former values.
  const Bytes kept = scaled(activations, in_flight, model.micro_batch) + scaled(largest, one, model.micro_batch) +
                     shared_state * plan.most_in_flight(stage);
  const Bytes moving = scaled(borders, std::min(in_flight, one * kTransfersInFlight), model.micro_batch);
  const Bytes staged = traits(plan.sync).staged(trainable, plan.replicas) + staged_ties(plan, model, used);
  return kBase + parameters + trainable + buffers + kept + moving + staged + of_the_job;
}

}  // namespace funcpipe
