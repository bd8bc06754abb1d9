// A whole job in one process: every worker a thread, the store in memory.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/jit/api/module.h>

#include <functional>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "config/job_config.h"
#include "data/dataset.h"
#include "protocol/iteration_report.h"
#include "store/store.h"
#include "test_models.h"

namespace funcpipe::testing {

using Tensors = std::map<std::string, at::Tensor>;  // by name in the state dict

struct Training {
  TestModel model;
  std::string optimizer = "sgd";
  int global_batch = 8, micro_batch = 2;
  std::int64_t steps = 20, rows = 40;
  std::int64_t validation_rows = 0;
  std::function<void(JobConfig&)> adjust;  // the rest of the job's configuration
};

struct Cutting {
  std::vector<int> cuts;  // layers after which a stage ends, without the last
  int replicas = 1;
  SyncAlgorithm sync = SyncAlgorithm::pipelined;
  PipelineOrder order = PipelineOrder::gpipe;
};

JobConfig config_of(const Training& training);
ModelDescription describe_model(const Training& training);

// Whether stages share parameters: their gradients are then summed in an order of their own.
bool stages_share_parameters(const ModelDescription& model, const std::vector<int>& cuts);

struct Outcome {
  Tensors tensors;                          // parameters and buffers of the assembled model
  std::vector<IterationReport> reports;     // of training, summed over replicas, by iteration
  std::vector<IterationReport> validation;  // by round, summed over replicas
  int invocations = 0;
};

// Publishes data and stages, plays all workers to the end (each invoked again as long as it answers "continue", with
// `lifetime` seconds), assembles the model. `store`: keeps the job's objects under "job".
Result<Outcome> train(const Training& training, const Cutting& cutting, Store& store,
                      Seconds lifetime = std::numeric_limits<double>::infinity());

Tensors tensors_of(const torch::jit::Module& module);

// |a - b| / |b| over all tensors of `b` together; infinity if the names differ.
double relative_error(const Tensors& a, const Tensors& b);
std::string first_difference(const Tensors& a, const Tensors& b);  // empty: bitwise equal

}  // namespace funcpipe::testing
