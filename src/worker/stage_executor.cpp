#include "worker/stage_executor.h"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/process_limits.h"
#include "model/border_gradient.h"
#include "model/torch_error.h"
#include "worker/divergence.h"
#include "worker/loss.h"
#include "worker/lr_schedule.h"

namespace funcpipe {
namespace {

constexpr std::size_t kUpdateTimes = 16;

std::vector<bool> gradient_flags(const ModelDescription& model, int layers_before) {
  std::vector<bool> flags;
  if (layers_before == 0 || layers_before == static_cast<int>(model.layers.size())) return flags;
  for (const TensorSpec& tensor : model.layers[static_cast<std::size_t>(layers_before - 1)].border)
    flags.push_back(tensor.requires_grad);
  return flags;
}

// True for the empty vector that is sent for a tensor without a gradient. Nothing used the tensor; in the uncut model
// it would have no gradient either.
bool stands_for_none(const at::Tensor& gradient) {
  return gradient.numel() == 0;
}

}  // namespace

struct StageExecutor::MicroState {
  std::vector<at::Tensor> data;          // load -> forward
  at::Tensor target;                     // load -> forward
  std::vector<at::Tensor> border;        // receive_activation -> forward
  std::vector<BorderGradient> incoming;  // receive_activation -> backward, of the border tensors with a gradient
  std::vector<at::Tensor> sending;       // forward -> send_activation, detached from the graph
  std::vector<at::Tensor> outputs;       // forward -> backward: tensors that receive a gradient, with graph
  at::Tensor loss;                       // forward -> backward on the last stage: the weighted loss, with graph
  std::vector<at::Tensor> gradients;     // receive_gradient -> backward
  std::optional<double> divergent;       // a loss that is not finite: forward -> backward on the last stage
  std::vector<at::Tensor> sending_back;  // backward -> send_gradient
};

StageExecutor::StageExecutor(const JobSpec& spec, const Plan& plan, WorkerId worker, StageTools tools)
    : GradientExecutor(tools.exchange),
      spec_(spec),
      worker_(worker),
      first_stage_(worker.stage == 0),
      last_stage_(worker.stage == plan.stage_count() - 1),
      tools_(tools) {
  for (const MicroBatch& batch : plan.micro_batches_of(worker.replica)) batches_[batch.index] = batch;
  const StagePlan& span = plan.stages[static_cast<std::size_t>(worker.stage)];
  border_grads_ = gradient_flags(spec.model, span.first_layer);
  output_grads_ = gradient_flags(spec.model, span.end_layer);
}
StageExecutor::~StageExecutor() = default;

std::vector<Seconds> StageExecutor::update_times() const {
  return {update_times_.begin(), update_times_.end()};
}

StageExecutor::MicroState& StageExecutor::state(std::int64_t iteration, int micro_batch) {
  const std::lock_guard lock(mutex_);
  auto& slot = states_[{iteration, micro_batch}];
  if (!slot) slot = std::make_unique<MicroState>();
  return *slot;
}

void StageExecutor::forget(std::int64_t iteration, int micro_batch) {
  const std::lock_guard lock(mutex_);
  states_.erase({iteration, micro_batch});
}

const MicroBatch& StageExecutor::batch(int micro_batch) const {
  const auto found = batches_.find(micro_batch);
  FUNCPIPE_CHECK(found != batches_.end(), "micro-batch {} of {}", micro_batch, to_string(worker_));
  return found->second;
}

std::string StageExecutor::place(const Op& op, std::int64_t iteration) const {
  const StagePlan& span = spec_.plan.stages[static_cast<std::size_t>(worker_.stage)];
  std::string text =
      fmt::format("{} ({} to {}), iteration {}, {}", to_string(worker_),
                  spec_.model.layers[static_cast<std::size_t>(span.first_layer)].name,
                  spec_.model.layers[static_cast<std::size_t>(span.end_layer - 1)].name, iteration, to_string(op.kind));
  if (op.micro_batch >= 0) text += fmt::format(" of micro-batch {}", op.micro_batch);
  return text;
}

Result<> StageExecutor::run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  const auto out_of_memory = [&] {
    return fail(ErrorCode::exhausted, "no memory left", place(op, iteration),
                "give the stage more memory, cut the model into more stages, or use smaller micro-batches");
  };
  try {
    Result<> result = GradientExecutor::run(op, index, iteration, std::move(stop));
    if (!result && result.error().place.empty()) result.error().place = place(op, iteration);
    return result;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const c10::Error& error) {
    const std::string_view what = error.what_without_backtrace();
    if (what.find("can't allocate memory") != std::string::npos) return out_of_memory();
    return fail(ErrorCode::failed, "the model raised: " + first_lines(error), place(op, iteration));
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      return tl::unexpected(no_process(place(op, iteration)));
    return fail(ErrorCode::failed, "the model raised: " + first_lines(error), place(op, iteration));
  } catch (const std::exception& error) {  // TorchScript's own errors are not c10::Error
    return fail(ErrorCode::failed, "the model raised: " + first_lines(error), place(op, iteration));
  }
}

MutableBytes StageExecutor::gradient(const Slice& slice) {
  return tools_.gradient.bytes(slice);
}

void StageExecutor::add(const Slice& slice, ConstBytes staged) {
  tools_.gradient.add(slice, staged);
}

MutableBytes StageExecutor::reached(const Slice& slice, std::optional<std::size_t>) {
  return tools_.gradient.reached(slice);
}

Result<> StageExecutor::compute(const Op& op, std::int64_t iteration, std::stop_token stop) {
  if (is_update(op.kind)) return update(iteration);
  const Touch* const activations = touch_of(op.kind, Buffer::activations);
  if (!activations) return GradientExecutor::compute(op, iteration, std::move(stop));
  return writes(activations->access) ? forward(op, iteration, std::move(stop))
                                     : backward(op, iteration, std::move(stop));
}

std::vector<at::Tensor> StageExecutor::give(const Op& op, Buffer buffer, std::int64_t iteration) {
  if (buffer == Buffer::state) return training() ? tools_.stage.shared_state() : tools_.stage.buffers();
  MicroState& micro = state(iteration, op.micro_batch);
  const bool forwards = buffer == Buffer::output;
  std::vector<at::Tensor> tensors = std::move(forwards ? micro.sending : micro.sending_back);
  if (!forwards || !training()) forget(iteration, op.micro_batch);
  return tensors;
}

Result<> StageExecutor::take(const Op& op, Buffer buffer, std::int64_t iteration, std::vector<at::Tensor> tensors) {
  if (buffer == Buffer::state) return take_state(tensors);
  if (buffer == Buffer::input) return take_activation(op, iteration, std::move(tensors));
  state(iteration, op.micro_batch).gradients = std::move(tensors);
  return {};
}

Result<> StageExecutor::report(const Op&, std::int64_t iteration, std::stop_token stop) {
  return tools_.reporter ? tools_.reporter->finish(iteration, std::move(stop)) : Result<>{};
}

Result<std::vector<at::Tensor>> StageExecutor::read_data(const MicroBatch& samples, std::int64_t iteration,
                                                         std::stop_token stop) {
  std::vector<at::Tensor> data;
  for (const int input : tools_.stage.data_inputs()) {
    if (input > 1)
      return fail(ErrorCode::invalid_input,
                  fmt::format("the model has an input {} but a data set has only input and "
                              "target",
                              input),
                  {}, "give forward at most two arguments");
    const std::string& dtype = spec_.model.inputs[static_cast<std::size_t>(input)].dtype;
    auto column = input == 0 ? tools_.samples.input(iteration, samples, dtype, stop)
                             : tools_.samples.target(iteration, samples, dtype, stop);
    if (!column) return tl::unexpected(std::move(column).error());
    data.push_back(std::move(*column));
  }
  return data;
}

Result<> StageExecutor::load(const Op& op, std::int64_t iteration, std::stop_token stop) {
  const MicroBatch& samples = batch(op.micro_batch);
  MicroState& micro = state(iteration, op.micro_batch);
  const std::string& loss = spec_.config.model.loss;
  FUNCPIPE_TRY(data, read_data(samples, iteration, stop));
  micro.data = std::move(data);
  if (last_stage_ && loss != "model") {
    FUNCPIPE_TRY(target,
                 tools_.samples.target(iteration, samples, loss == "cross-entropy" ? "int64" : "float32", stop));
    micro.target = std::move(target);
  }
  return {};
}

Result<> StageExecutor::take_activation(const Op& op, std::int64_t iteration, std::vector<at::Tensor> tensors) {
  if (tensors.size() != border_grads_.size())
    return fail(ErrorCode::corrupt,
                fmt::format("{} tensors arrived where the cut has {}", tensors.size(), border_grads_.size()));
  MicroState& micro = state(iteration, op.micro_batch);
  if (training())
    for (std::size_t i = 0; i < tensors.size(); ++i)
      if (border_grads_[i]) micro.incoming.emplace_back(tensors[i]);
  micro.border = std::move(tensors);
  return {};
}

// Searches this stage, with the inputs the pass had, for the cause of a loss that is not finite.
Result<> StageExecutor::find_divergence(const Op& op, std::int64_t iteration, double loss, std::stop_token stop) {
  FUNCPIPE_TRY(data, read_data(batch(op.micro_batch), iteration, stop));
  std::vector<at::Tensor> border;
  std::vector<BorderGradient> incoming;
  if (!first_stage_) {
    FUNCPIPE_TRY(received, tools_.exchange.receive_again(iteration, {ObjectKind::activation, worker_.stage - 1,
                                                                     worker_.replica, op.micro_batch}));
    border = std::move(received);
    for (std::size_t i = 0; i < border.size() && i < border_grads_.size(); ++i)
      if (border_grads_[i]) incoming.emplace_back(border[i]);
  }
  return ::funcpipe::find_divergence({spec_, tools_.stage, first_stage_, last_stage_, iteration, op.micro_batch, loss,
                                      std::move(border), std::move(data)});
}

Result<> StageExecutor::forward(const Op& op, std::int64_t iteration, std::stop_token stop) {
  const c10::AutoGradMode with_graph(training());
  const MicroBatch& samples = batch(op.micro_batch);
  MicroState& micro = state(iteration, op.micro_batch);
  const RandomKey random{spec_.config.job.seed, iteration, op.micro_batch};
  std::vector<at::Tensor> outputs = tools_.stage.forward(std::exchange(micro.border, {}), micro.data, random);
  micro.data.clear();

  if (!last_stage_) {
    if (outputs.size() != output_grads_.size())
      return fail(ErrorCode::failed,
                  fmt::format("the stage gave {} tensors, the cut has {}", outputs.size(), output_grads_.size()));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (training() && outputs[i].requires_grad() && !output_grads_[i])
        return fail(ErrorCode::failed,
                    fmt::format("tensor {} of the cut needs a gradient that the model's description denies it", i));
      micro.sending.push_back(outputs[i].detach());
      if (training() && output_grads_[i]) micro.outputs.push_back(std::move(outputs[i]));
    }
    return {};
  }
  FUNCPIPE_TRY(loss, compute_loss(spec_.config.model, outputs, micro.target));
  micro.target.reset();
  const auto mean = loss.mean.item<double>();
  if (training() && !std::isfinite(mean)) {
    micro.divergent = mean;
    return find_divergence(op, iteration, mean, stop);
  }
  if (tools_.reporter)
    tools_.reporter->add(iteration, {.loss = mean * samples.samples,
                                     .correct = loss.correct,
                                     .predictions = loss.predictions,
                                     .samples = samples.samples});
  if (!training()) {
    forget(iteration, op.micro_batch);
    return {};
  }
  // Each micro-batch's mean is weighted by its share of the global batch, so the step uses the whole batch's mean loss.
  const double share = static_cast<double>(samples.samples) / spec_.plan.global_batch;
  micro.loss = loss.mean.mul(share);
  return {};
}

Result<> StageExecutor::backward(const Op& op, std::int64_t iteration, std::stop_token stop) {
  MicroState& micro = state(iteration, op.micro_batch);
  if (!last_stage_) {
    micro.divergent = marked_divergence(micro.gradients, micro.outputs.size());
    if (micro.divergent) FUNCPIPE_TRY_VOID(find_divergence(op, iteration, *micro.divergent, stop));
  }
  if (micro.divergent) {
    micro.sending_back = divergence_mark(*micro.divergent, micro.incoming.size());
    micro.incoming.clear();
    return {};
  }
  if (last_stage_) {
    if (micro.loss.requires_grad()) micro.loss.backward();
    micro.loss.reset();
  } else {
    if (micro.gradients.size() != micro.outputs.size())
      return fail(ErrorCode::corrupt,
                  fmt::format("{} gradients arrived for {} tensors", micro.gradients.size(), micro.outputs.size()));
    std::vector<at::Tensor> roots, gradients;
    for (std::size_t i = 0; i < micro.outputs.size(); ++i) {
      if (!micro.outputs[i].requires_grad() || stands_for_none(micro.gradients[i])) continue;
      roots.push_back(std::move(micro.outputs[i]));
      gradients.push_back(std::move(micro.gradients[i]));
    }
    micro.outputs.clear();
    micro.gradients.clear();
    if (!roots.empty()) torch::autograd::backward(roots, gradients);
  }
  tools_.gradient.note_reached();
  for (BorderGradient& incoming : micro.incoming) {
    at::Tensor gradient = incoming.take();
    micro.sending_back.push_back(gradient.defined() ? std::move(gradient) : at::empty({0}));
  }
  micro.incoming.clear();
  if (first_stage_) forget(iteration, op.micro_batch);
  return {};
}

Result<> StageExecutor::update(std::int64_t iteration) {
  tools_.gradient.withdraw_unreached();
  tools_.optimizer->step(learning_rate(spec_.config.optimizer, spec_.config.lr_scheduler, iteration, spec_.steps));
  tools_.gradient.clear();
  update_times_.push_back(tools_.clock.now());
  if (update_times_.size() > kUpdateTimes) update_times_.pop_front();
  return {};
}

Result<> StageExecutor::take_state(const std::vector<at::Tensor>& tensors) {
  const std::size_t wanted = training() ? tools_.stage.shared_state().size() : tools_.stage.buffers().size();
  if (tensors.size() != wanted)
    return fail(ErrorCode::corrupt, fmt::format("{} buffers arrived where the stage has {}", tensors.size(), wanted));
  training() ? tools_.stage.set_shared_state(tensors) : tools_.stage.set_buffers(tensors);
  return {};
}

}  // namespace funcpipe
