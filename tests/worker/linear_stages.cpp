#include "linear_stages.h"

#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <torch/csrc/jit/api/module.h>

#include <memory>
#include <vector>

#include "base/random.h"
#include "data/dataset.h"
#include "model/stage_file.h"
#include "protocol/job_keys.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe::testing {
namespace {

constexpr std::int64_t kWidth = 96;  // of every layer
constexpr int kMicroBatch = 2;
constexpr std::int64_t kValidationRows = 7;
constexpr std::int64_t kStepsPerEpoch = 3;

// From -1 to 1.
float number(std::uint64_t seed, std::int64_t i) {
  return static_cast<float>(mix(seed, {static_cast<std::uint64_t>(i)}) >> 40) * 0x1p-23f - 1;
}

std::string weight_name(int layer) {
  return fmt::format("weight_{}", layer);
}
std::string mean_name(int layer) {
  return fmt::format("mean_{}", layer);
}

LayerDescription layer_description(int layer, bool last) {
  LayerDescription description{.name = fmt::format("layer_{}", layer), .parameters = {layer}};
  if (layer == 0) description.data_inputs = {0};
  if (!last) description.border = {{"float32", {kMicroBatch, kWidth}, true, {}}};
  description.shared_state = {mean_name(layer)};
  description.shared_state_bytes = kWidth * static_cast<Bytes>(sizeof(float));
  return description;
}

ModelDescription model_description(int layers) {
  ModelDescription model{.source = "linear stages", .micro_batch = kMicroBatch};
  model.inputs = model.outputs = {{"float32", {kMicroBatch, kWidth}, false, {}}};
  for (int layer = 0; layer < layers; ++layer) {
    model.parameters.push_back({weight_name(layer), {kWidth, kWidth}});
    model.layers.push_back(layer_description(layer, layer + 1 == layers));
  }
  return model;
}

Result<std::string> stage_file(int layer) {
  at::Tensor weight = at::zeros({kWidth, kWidth});
  for (std::int64_t i = 0; i < weight.numel(); ++i)
    weight.data_ptr<float>()[i] = 0.1f * number(static_cast<std::uint64_t>(layer), i);
  torch::jit::Module module("__torch__.LinearStage");
  module.register_parameter("weight", weight.set_requires_grad(true), false);
  module.register_buffer("mean", at::zeros({kWidth}));
  module.define(R"(
def compute(self, x, training: bool):
    if training:
        self.mean.mul_(0.9).add_(torch.mean(x.detach(), [0]), alpha=0.1)
    return (torch.tanh(torch.linear(x - self.mean, self.weight)),)
)");
  StageManifest manifest{.first_layer = layer, .end_layer = layer + 1};
  manifest.layers = {{layer, "compute", layer == 0 ? std::vector<int>{0} : std::vector<int>{}, false}};
  manifest.parameters = {{weight_name(layer), "weight", layer, true, false, false}};
  manifest.buffers = {{mean_name(layer), "mean", -1, false, true, true}};
  return write_stage_file(module, manifest);
}

Column column(std::int64_t rows, std::uint64_t seed) {
  const std::shared_ptr<float[]> numbers(new float[static_cast<std::size_t>(rows * kWidth)]);
  for (std::int64_t i = 0; i < rows * kWidth; ++i) numbers[i] = number(seed, i);
  return {{"float32", {kWidth}}, rows, {numbers, reinterpret_cast<const std::byte*>(numbers.get())}};
}

Plan plan_of(const LinearJob& job) {
  Plan plan;
  for (int stage = 0; stage < job.stages; ++stage)
    plan.stages.push_back({.first_layer = stage, .end_layer = stage + 1});
  plan.replicas = job.replicas;
  plan.micro_batch = kMicroBatch;
  plan.global_batch = kMicroBatch * job.micro_batches;
  plan.sync = job.sync;
  plan.order = job.order;
  if (traits(plan.sync).has_server) plan.server = "c5.9xlarge";
  return plan;
}

JobConfig config_of_job() {
  JobConfig config;
  config.job.seed = 3;
  config.model.loss = "mse";
  config.optimizer.name = "sgd";
  config.optimizer.lr = 0.05;
  config.optimizer.momentum = 0.9;
  config.data.shuffle = true;
  config.metrics.log_freq = 2;
  config.checkpoint.interval = 3;
  config.platform.dilation = 0.05;  // so polls follow each other soon
  config.training.wait_limit = 60 / config.platform.dilation;
  return config;
}

}  // namespace

Result<JobSpec> publish_job(const LinearJob& job, Store& store, const std::string& prefix) {
  JobSpec spec;
  spec.id = "linear";
  spec.config = config_of_job();
  spec.plan = plan_of(job);
  if (!spec.plan.has_server()) spec.recovery.iterations = spec.config.checkpoint.interval;
  spec.model = model_description(job.stages);
  spec.steps = job.steps;
  spec.steps_per_epoch = kStepsPerEpoch;
  const std::int64_t rows = spec.steps_per_epoch * spec.plan.global_batch;
  FUNCPIPE_TRY(train, publish({column(rows, 101), column(rows, 102)}, store, training_data_prefix(prefix)));
  spec.train = std::move(train);
  if (!spec.plan.has_server()) {
    FUNCPIPE_TRY(held_out, publish({column(kValidationRows, 103), column(kValidationRows, 104)}, store,
                                   validation_data_prefix(prefix)));
    spec.validation = std::move(held_out);
  }
  for (int stage = 0; stage < job.stages; ++stage) {
    FUNCPIPE_TRY(archive, stage_file(stage));
    FUNCPIPE_TRY_VOID(store.put(stage_key(prefix, stage), archive));
  }
  return spec;
}

}  // namespace funcpipe::testing
