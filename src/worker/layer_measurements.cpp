#include "worker/layer_measurements.h"

#include <ATen/ops/ones.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "measure/cpu_rate.h"
#include "measure/measure_layer.h"
#include "measure/measure_transfer.h"
#include "measure/measure_update.h"
#include "model/compute_threads.h"
#include "worker/optimizer.h"
#include "worker/process.h"

namespace funcpipe {
namespace {

// Bytes of parameters of the trial update. Several times as much must fit into the smallest function.
constexpr Bytes kUpdated = 8 * kMiB;
constexpr Bytes kMoved = 4 * kMiB;  // bytes of each trial transfer

JobConfig::Optimizer optimizer_named(const std::string& name) {
  JobConfig::Optimizer optimizer;
  optimizer.name = name == "momentum" ? "sgd" : name;
  if (name == "momentum") optimizer.momentum = 0.9;
  return optimizer;
}

Result<OptionMeasurement> measure_option(const MeasureRequest& request, Store& store, Seconds age) {
  OptionMeasurement option;
  option.cold_start = age / request.dilation;
  // libtorch sets up its kernels with the first operation. What is resident afterwards is what every worker has.
  static_cast<void>(at::ones({8, 8}).matmul(at::ones({8, 8})));
  option.base_memory = peak_memory();
  // A function with a share of a vCPU needs up to 1 / share wall seconds for a CPU second. If more was measured, other
  // processes on this machine used the time. Less than 1 is impossible.
  option.seconds_per_cpu_second = std::clamp(request.vcpus < 1 ? wall_seconds_per_cpu_second() / request.dilation : 1.0,
                                             1.0, std::max(1.0, 1 / request.vcpus));
  FUNCPIPE_TRY(transfer, measure_transfer(store, transfer_test_key(request, "transfer"), kMoved));
  option.transfer_cpu_per_byte = transfer.per_byte;
  option.transfer_cpu_per_request = transfer.per_request;
  const MakeStep make_step = [&](std::vector<at::Tensor> parameters) -> std::function<void()> {
    const auto optimizer = std::make_shared<StageOptimizer>(optimizer_named(request.optimizer), std::move(parameters));
    return [optimizer] { optimizer->step(0.01); };
  };
  option.update_per_byte = update_seconds_per_byte(make_step, kUpdated, request.by_wall) *
                           (request.by_wall ? 1 / request.dilation : option.seconds_per_cpu_second);
  return option;
}

// Returns the bytes that a pass over the model touches outside of this layer.
Bytes touched_by_others(const ModelDescription& model, int layer) {
  Bytes bytes = model.parameter_bytes();
  for (const LayerDescription& other : model.layers) bytes += other.activation_bytes;
  const LayerDescription& own = model.layers[static_cast<std::size_t>(layer)];
  bytes -= own.activation_bytes;
  for (const int parameter : own.parameters) bytes -= model.parameters[static_cast<std::size_t>(parameter)].bytes();
  return std::max<Bytes>(0, bytes);
}

Result<MeasureAnswer> measure_layers(const MeasureRequest& request, Store& store, Clock& clock, Seconds deadline) {
  const std::string key = measured_model_key(request.prefix, request.micro_batch);
  FUNCPIPE_TRY(text, store.get_text(key));
  if (!text) return fail(ErrorCode::not_found, "the model's description is not in the store", key);
  FUNCPIPE_TRY(json, parse_json(*text, key));
  FUNCPIPE_TRY(model, model_description_from_json(json, key));

  MeasureAnswer answer{.status = "done", .next_layer = request.first_layer};
  Seconds longest = 0;
  for (int layer = request.first_layer; layer < request.end_layer; ++layer) {
    const Seconds start = clock.now();
    answer.next_layer = layer;
    if (layer > request.first_layer && start + 2 * longest > deadline) {
      answer.status = "continue";
      return answer;
    }
    const std::string archive_key = measured_layer_key(request.prefix, layer);
    try {
      FUNCPIPE_TRY(archive, store.get_text(archive_key));
      if (!archive) return fail(ErrorCode::not_found, "the layer is not in the store", archive_key);
      FUNCPIPE_TRY(measured, measure_layer(std::move(*archive), model, layer,
                                           {.repeats = request.repeats,
                                            .by_wall = request.by_wall,
                                            .seconds_per_cpu_second = request.seconds_per_cpu_second,
                                            .dilation = request.dilation,
                                            .others = touched_by_others(model, layer),
                                            .limit = std::max(0.0, 0.8 * (deadline - start))}));
      FUNCPIPE_TRY_VOID(store.put(layer_result_key(request, layer), to_json(measured).dump()));
    } catch (const std::bad_alloc&) {
      answer.status = "exhausted";
      return answer;
    }
    longest = std::max(longest, clock.now() - start);
    answer.next_layer = layer + 1;
  }
  return answer;
}

}  // namespace

Result<MeasureAnswer> measure(const MeasureRequest& request, Store& store, Clock& clock, Seconds deadline) {
  const Seconds age = process_age();
  set_compute_threads(std::max(1, request.threads));
  if (!request.option) return measure_layers(request, store, clock, deadline);
  FUNCPIPE_TRY(option, measure_option(request, store, age));
  return MeasureAnswer{.status = "done", .option = option};
}

}  // namespace funcpipe
