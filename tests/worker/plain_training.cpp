#include "plain_training.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "base/random.h"
#include "model/compute_threads.h"
#include "model/model.h"
#include "model/tensor_type.h"
#include "protocol/data_manifest.h"
#include "worker/lr_schedule.h"

namespace funcpipe::testing {
namespace {

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const JobConfig::Optimizer& config,
                                                        const std::vector<at::Tensor>& parameters) {
  if (config.name == "sgd")
    return std::make_unique<torch::optim::SGD>(
        parameters, torch::optim::SGDOptions(config.lr).momentum(config.momentum).weight_decay(config.weight_decay));
  if (config.name == "adam")
    return std::make_unique<torch::optim::Adam>(
        parameters, torch::optim::AdamOptions(config.lr).weight_decay(config.weight_decay).eps(config.eps));
  return std::make_unique<torch::optim::AdamW>(
      parameters, torch::optim::AdamWOptions(config.lr).weight_decay(config.weight_decay).eps(config.eps));
}

at::Tensor rows_of(const Column& column, const std::vector<std::int64_t>& rows) {
  std::vector<std::int64_t> shape = column.row.shape;
  shape.insert(shape.begin(), column.rows);
  const at::Tensor all = at::from_blob(const_cast<std::byte*>(column.bytes.get()), shape,
                                       at::TensorOptions(*dtype_from_name(column.row.dtype)));
  std::vector<at::Tensor> picked;
  const at::Tensor index = at::from_blob(const_cast<std::int64_t*>(rows.data()), {std::ssize(rows)}, at::kLong);
  return all.index_select(0, index);
}

// The whole model as PyTorch would load it; a zoo model by way of a file.
torch::jit::Module load_whole(const Training& training) {
  if (!training.model.file.starts_with("zoo:")) return torch::jit::load(training.model.file);
  const auto model = Model::load(training.model.file, training.model.inputs, config_of(training).job.seed);
  std::string name = std::filesystem::temp_directory_path() / "funcpipe-whole-XXXXXX";
  ::close(::mkstemp(name.data()));
  if (!model || !model->save_module(name)) throw std::runtime_error("cannot save " + training.model.file);
  auto module = torch::jit::load(name);
  std::filesystem::remove(name);
  return module;
}

using Gradients = std::vector<at::Tensor>;  // by the parameter's index in the model's description

class PlainLoop {
 public:
  PlainLoop(const Training& training, int replicas, bool every_name = false)
      : training_(training),
        config_(config_of(training)),
        description_(describe_model(training)),
        replicas_(replicas),
        module_(load_whole(training)),
        data_(make_dataset(training.model, training.rows, 5)),
        column_{data_.input.row, data_.input.rows,
                std::clamp<std::int64_t>(kMiB / data_.input.row.bytes(), 1, data_.input.rows), ""} {
    // As the job's workers: another number gives other bits (seen with libtorch 2.6, BatchNormModel's first
    // convolution).
    set_compute_threads(config_.training.threads);
    torch::jit::getProfilingMode() = false;
    torch::jit::getExecutorMode() = false;
    torch::jit::setGraphExecutorOptimize(false);
    for (std::size_t i = 0; i < description_.layers.size(); ++i)
      if (description_.layers[i].random) random_layer_ = static_cast<int>(i);
    module_.train();
    std::map<std::string, at::Tensor> named;
    for (const auto& parameter : module_.named_parameters()) named[parameter.name] = parameter.value;
    if (every_name)
      for (const auto& parameter : module_.parameters()) parameters_.push_back(parameter);
    else
      for (const auto& parameter : description_.parameters) parameters_.push_back(named.at(parameter.name));
    std::vector<at::Tensor> trainable;
    std::ranges::copy_if(parameters_, std::back_inserter(trainable), &at::Tensor::requires_grad);
    optimizer_ = make_optimizer(config_.optimizer, trainable);
  }

  int micro_batches() const { return (training_.global_batch + training_.micro_batch - 1) / training_.micro_batch; }
  const ModelDescription& description() const { return description_; }
  const std::vector<at::Tensor>& parameters() const { return parameters_; }  // by index in the description
  Tensors tensors() const { return tensors_of(module_); }

  // Adds up the gradients of micro-batches [first, end) of a step.
  Gradients gradients(std::int64_t step, int first, int end) {
    for (at::Tensor& parameter : parameters_) parameter.mutable_grad().reset();
    for (int m = first; m < end; ++m) run(step, m);
    Gradients result;
    for (at::Tensor& parameter : parameters_) result.push_back(std::exchange(parameter.mutable_grad(), {}));
    return result;
  }

  // The same of each replica's micro-batches.
  std::vector<Gradients> shares(std::int64_t step, int replicas) {
    std::vector<Gradients> result;
    for (int replica = 0; replica < replicas; ++replica)
      result.push_back(
          gradients(step, replica * micro_batches() / replicas, (replica + 1) * micro_batches() / replicas));
    return result;
  }

  void update(std::int64_t step, const Gradients& gradients) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) parameters_[i].mutable_grad() = gradients[i];
    for (auto& group : optimizer_->param_groups())
      group.options().set_lr(learning_rate(config_.optimizer, config_.lr_scheduler, step, training_.steps));
    optimizer_->step();
  }

 private:
  void run(std::int64_t step, int m) {
    const std::int64_t steps_per_epoch = training_.rows / training_.global_batch;
    const EpochOrder order(column_, config_.data.shuffle, config_.data.shuffle_window, config_.job.seed,
                           step / steps_per_epoch);
    const int first = m * training_.micro_batch;
    const int samples = std::min(training_.micro_batch, training_.global_batch - first);
    std::vector<std::int64_t> rows;
    for (int s = 0; s < samples; ++s)
      rows.push_back(order.row(step % steps_per_epoch * training_.global_batch + first + s));
    const at::Tensor input = rows_of(data_.input, rows).to(*dtype_from_name(training_.model.inputs[0].dtype));
    const at::Tensor target = rows_of(data_.target, rows);
    if (random_layer_ >= 0) {
      auto generator = at::detail::getDefaultCPUGenerator();
      generator.set_current_seed(mix(config_.job.seed, {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(m),
                                                        static_cast<std::uint64_t>(random_layer_)}));
    }
    // Replicas do not see what the others' micro-batches write to; what replica 0 has at its end stays.
    for (int replica = 0; replicas_ > 1 && replica < replicas_; ++replica) {
      if (m != replica * micro_batches() / replicas_) continue;
      if (replica == 0) begin_ = tensors_of(module_);
      if (replica == 1) end_ = tensors_of(module_);
      if (replica > 0) restore(begin_);
    }
    const at::Tensor output = module_.forward({input}).toTensor();
    at::Tensor loss;
    if (training_.model.classes == 0) {
      loss = at::mse_loss(output, target);
    } else {
      const at::Tensor flat = output.reshape({-1, output.size(-1)});
      loss = at::cross_entropy_loss(flat, target.to(at::kLong).reshape({-1}));
    }
    const double share = static_cast<double>(samples) / training_.global_batch;
    const at::Tensor weighted = loss * share;
    weighted.backward();
    if (replicas_ > 1 && m == micro_batches() - 1) restore(end_);
  }

  void restore(const Tensors& tensors) {
    const c10::NoGradGuard no_gradients;
    for (const auto& parameter : module_.named_parameters())
      parameter.value.set_data(tensors.at(parameter.name).clone());
    for (const auto& buffer : module_.named_buffers()) buffer.value.set_data(tensors.at(buffer.name).clone());
  }

  const Training& training_;
  const JobConfig config_;
  const ModelDescription description_;
  const int replicas_;
  torch::jit::Module module_;
  const Dataset data_;
  const ColumnManifest column_;
  int random_layer_ = -1;
  Tensors begin_, end_;  // of an iteration, of replica 0
  std::vector<at::Tensor> parameters_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

// Whose shares are added to that of the owner of shard `owner`, in order. A parameter server begins with the first.
std::vector<int> others_in_order(int owner, int replicas, SyncAlgorithm sync) {
  std::vector<int> others;
  for (int k = 1; k < replicas; ++k) {
    const int pipelined = (owner - k + replicas) % replicas;
    const int three_phase = k <= owner ? k - 1 : k;
    others.push_back(sync == SyncAlgorithm::pipelined     ? pipelined
                     : sync == SyncAlgorithm::three_phase ? three_phase
                                                          : k);
  }
  return others;
}

Summing summing_of(SyncAlgorithm sync) {
  return [sync](const std::vector<at::Tensor>& flat) {
    const auto replicas = std::ssize(flat);
    at::Tensor merged = at::empty_like(flat[0]);
    for (std::int64_t owner = 0; owner < replicas; ++owner) {
      const std::int64_t first = owner * merged.numel() / replicas;
      const std::int64_t elements = (owner + 1) * merged.numel() / replicas - first;
      const std::int64_t begin = sync == SyncAlgorithm::parameter_server ? 0 : owner;
      at::Tensor sum = flat[static_cast<std::size_t>(begin)].narrow(0, first, elements);
      for (const int other : others_in_order(static_cast<int>(owner), static_cast<int>(replicas), sync))
        sum = sum + flat[static_cast<std::size_t>(other)].narrow(0, first, elements);
      merged.narrow(0, first, elements).copy_(sum);
    }
    return merged;
  };
}

// The sum of the replicas' `shares` as the workers of one stage with these `parameters` make it.
void merge(const std::vector<Gradients>& shares, const std::vector<std::size_t>& parameters, const Summing& summing,
           const Gradients& values, Gradients& sums) {
  std::vector<at::Tensor> flat;
  for (const Gradients& share : shares) {
    std::vector<at::Tensor> parts;
    for (const std::size_t index : parameters)
      parts.push_back(share[index].defined() ? share[index].reshape({-1}) : at::zeros({values[index].numel()}));
    flat.push_back(at::cat(parts));
  }
  const at::Tensor merged = summing(flat);
  std::int64_t first = 0;
  for (const std::size_t index : parameters) {
    const bool any = std::ranges::any_of(shares, [&](const Gradients& share) { return share[index].defined(); });
    if (any) sums[index] = merged.narrow(0, first, values[index].numel()).view(values[index].sizes());
    first += values[index].numel();
  }
}

}  // namespace

Tensors train_plainly(const Training& training, int replicas) {
  PlainLoop loop(training, replicas);
  for (std::int64_t step = 0; step < training.steps; ++step)
    loop.update(step, loop.gradients(step, 0, loop.micro_batches()));
  return loop.tensors();
}

Tensors train_every_name(const Training& training) {
  PlainLoop loop(training, 1, true);
  for (std::int64_t step = 0; step < training.steps; ++step)
    loop.update(step, loop.gradients(step, 0, loop.micro_batches()));
  return loop.tensors();
}

Tensors train_in_order_of(const Training& training, const Cutting& cutting, Summing summing) {
  if (!summing) summing = summing_of(cutting.sync);
  PlainLoop loop(training, cutting.replicas);
  std::vector<int> ends = cutting.cuts;
  ends.push_back(static_cast<int>(loop.description().layers.size()));
  for (std::int64_t step = 0; step < training.steps; ++step) {
    const std::vector<Gradients> shares = loop.shares(step, cutting.replicas);
    Gradients sums(loop.parameters().size());
    int first = 0;
    for (const int end : ends) {
      std::vector<std::size_t> parameters;
      for (const int index : loop.description().parameters_of(first, end))
        if (loop.parameters()[static_cast<std::size_t>(index)].requires_grad())
          parameters.push_back(static_cast<std::size_t>(index));
      if (!parameters.empty()) merge(shares, parameters, summing, loop.parameters(), sums);
      first = end;
    }
    loop.update(step, sums);
  }
  return loop.tensors();
}

ReachedSteps count_reached(const Training& training, int replicas, const std::string& parameter) {
  PlainLoop loop(training, replicas);
  const auto& all = loop.description().parameters;
  const auto index = std::ranges::find(all, parameter, &ParameterDescription::name) - all.begin();
  ReachedSteps steps;
  for (std::int64_t step = 0; step < training.steps; ++step) {
    const auto reached = std::ranges::count_if(loop.shares(step, replicas), [&](const Gradients& share) {
      return share.at(static_cast<std::size_t>(index)).defined();
    });
    ++(reached == 0 ? steps.none : reached == replicas ? steps.all : steps.some);
  }
  return steps;
}

}  // namespace funcpipe::testing
