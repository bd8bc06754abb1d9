#include "in_process_job.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mse_loss.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/profiling_graph_executor_impl.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "model/model.h"
#include "model/tensor_type.h"
#include "worker/lr_schedule.h"
#include "worker/worker.h"

namespace funcpipe::testing {
namespace {

constexpr const char* kPrefix = "job";

Tensors tensors_of(const torch::jit::Module& module) {
  Tensors tensors;
  for (const auto& parameter : module.named_parameters()) tensors[parameter.name] = parameter.value.detach().clone();
  for (const auto& buffer : module.named_buffers()) tensors[buffer.name] = buffer.value.detach().clone();
  return tensors;
}

Plan plan_of(const Training& training, const Cutting& cutting, const ModelDescription& model) {
  Plan plan;
  plan.model = model.source;
  plan.fingerprint = model.fingerprint;
  int first = 0;
  for (const int cut : cutting.cuts) {
    plan.stages.push_back({first, cut, 0});
    first = cut;
  }
  plan.stages.push_back({first, static_cast<int>(model.layers.size()), 0});
  plan.replicas = cutting.replicas;
  plan.global_batch = training.global_batch;
  plan.micro_batch = training.micro_batch;
  plan.sync = cutting.sync;
  return plan;
}

Result<> absorb_trained(Model& model, Store& store, int stages) {
  for (int stage = 0; stage < stages; ++stage) {
    FUNCPIPE_TRY(archive, store.get_text(trained_key(kPrefix, stage)));
    if (!archive) return fail(ErrorCode::not_found, "no trained stage", trained_key(kPrefix, stage));
    FUNCPIPE_TRY_VOID(model.absorb(*archive));
  }
  return {};
}

Result<Tensors> saved_tensors(const Model& model) {
  std::string name = std::filesystem::temp_directory_path() / "funcpipe-trained-XXXXXX";
  const int file = ::mkstemp(name.data());
  ::close(file);
  const auto saved = model.save_module(name);
  if (!saved) return tl::unexpected(saved.error());
  Tensors tensors = tensors_of(torch::jit::load(name));
  std::filesystem::remove(name);
  return tensors;
}

void add_up(std::map<std::int64_t, IterationReport>& sums, const std::vector<IterationReport>& reports) {
  for (const IterationReport& report : reports) {
    IterationReport& sum = sums[report.iteration];
    sum.iteration = report.iteration;
    sum.loss += report.loss;
    sum.correct += report.correct;
    sum.predictions += report.predictions;
    sum.samples += report.samples;
  }
}

Result<std::vector<IterationReport>> collect(Store& store, const std::string& prefix) {
  FUNCPIPE_TRY(objects, store.list(prefix));
  std::map<std::int64_t, IterationReport> sums;
  for (const ListedObject& object : objects) {
    FUNCPIPE_TRY(text, store.get_text(object.key));
    FUNCPIPE_TRY(reports, iteration_reports_from_json(nlohmann::json::parse(*text)));
    add_up(sums, reports);
  }
  std::vector<IterationReport> result;
  for (const auto& [iteration, report] : sums) result.push_back(report);
  return result;
}

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

}  // namespace

JobConfig config_of(const Training& training) {
  JobConfig config;
  config.job.seed = 11;
  config.model.source = training.model.file;
  config.model.loss = training.model.classes > 0 ? "cross-entropy" : "mse";
  config.optimizer.name = training.optimizer;
  config.optimizer.lr = training.optimizer == "sgd" ? 0.05 : 0.01;
  if (training.optimizer == "sgd") config.optimizer.momentum = 0.9;
  config.optimizer.weight_decay = 1e-3;
  config.training.global_batch = training.global_batch;
  config.training.micro_batch = training.micro_batch;
  config.training.wait_limit = 30;
  config.metrics.log_freq = 3;
  config.validation.micro_batch = 3;
  if (training.adjust) training.adjust(config);
  return config;
}

ModelDescription describe_model(const Training& training) {
  const auto model = Model::load(training.model.file, training.model.inputs, config_of(training).job.seed);
  if (!model) throw std::runtime_error(describe(model.error()));
  return model->description();
}

Result<Outcome> train(const Training& training, const Cutting& cutting, Store& store, Seconds lifetime) {
  JobSpec spec;
  spec.id = "test";
  spec.config = config_of(training);
  FUNCPIPE_TRY(model, Model::load(training.model.file, training.model.inputs, spec.config.job.seed));
  spec.model = model.description();
  spec.plan = plan_of(training, cutting, spec.model);
  spec.steps = training.steps;
  spec.steps_per_epoch = training.rows / training.global_batch;
  FUNCPIPE_TRY(data, publish(make_dataset(training.model, training.rows, 5), store, "job/data/train"));
  spec.train = std::move(data);
  if (training.validation_rows > 0) {
    FUNCPIPE_TRY(held_out, publish(make_dataset(training.model, training.validation_rows, 6), store, "job/data/val"));
    spec.validation = std::move(held_out);
  }
  for (int stage = 0; stage < spec.plan.stage_count(); ++stage) {
    const StagePlan& span = spec.plan.stages[static_cast<std::size_t>(stage)];
    FUNCPIPE_TRY(archive, model.stage(span.first_layer, span.end_layer));
    FUNCPIPE_TRY_VOID(store.put(stage_key(kPrefix, stage), archive));
  }

  std::mutex mutex;
  std::optional<Error> error;
  Outcome outcome;
  std::stop_source stop;
  SystemClock clock;
  {
    std::vector<std::jthread> workers;
    for (int stage = 0; stage < spec.plan.stage_count(); ++stage)
      for (int replica = 0; replica < spec.plan.replicas; ++replica)
        workers.emplace_back([&, stage, replica] {
          WorkerInvocation invocation{"test", "bucket", kPrefix, {stage, replica}, 0};
          while (true) {
            const auto answer = run_worker(spec, invocation, store, clock, clock.now() + lifetime, stop.get_token());
            const std::lock_guard lock(mutex);
            ++outcome.invocations;
            if (!answer) {
              if (!error || error->code == ErrorCode::cancelled) error = answer.error();
              stop.request_stop();
              return;
            }
            if (answer->status == "done") return;
            invocation.first_iteration = answer->next_iteration;
          }
        });
  }
  if (error) return tl::unexpected(*error);
  FUNCPIPE_TRY_VOID(absorb_trained(model, store, spec.plan.stage_count()));
  FUNCPIPE_TRY(tensors, saved_tensors(model));
  outcome.tensors = std::move(tensors);
  FUNCPIPE_TRY(reports, collect(store, report_key(kPrefix, 0, 0).substr(0, report_key(kPrefix, 0, 0).rfind('/') + 1)));
  outcome.reports = std::move(reports);
  const std::string round = validation_report_key(kPrefix, 0, 0);
  if (training.validation_rows > 0) {
    FUNCPIPE_TRY(rounds, collect(store, round.substr(0, round.rfind('/') + 1)));
    outcome.validation = std::move(rounds);
  }
  return outcome;
}

namespace {

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

}  // namespace

Tensors train_plainly(const Training& training, int replicas) {
  torch::jit::getProfilingMode() = false;
  torch::jit::getExecutorMode() = false;
  torch::jit::setGraphExecutorOptimize(false);
  const JobConfig config = config_of(training);
  const ModelDescription description = describe_model(training);
  int random_layer = -1;
  for (std::size_t i = 0; i < description.layers.size(); ++i)
    if (description.layers[i].random) random_layer = static_cast<int>(i);

  torch::jit::Module module = load_whole(training);
  module.train();
  std::vector<at::Tensor> parameters;
  for (const at::Tensor& parameter : module.parameters()) {
    const bool known =
        std::any_of(parameters.begin(), parameters.end(), [&](const at::Tensor& p) { return p.is_same(parameter); });
    if (!known && parameter.requires_grad()) parameters.push_back(parameter);
  }
  const auto optimizer = make_optimizer(config.optimizer, parameters);
  const Dataset data = make_dataset(training.model, training.rows, 5);
  const ColumnManifest column{data.input.row, data.input.rows,
                              std::clamp<std::int64_t>(kMiB / data.input.row.bytes(), 1, data.input.rows), ""};
  const std::int64_t steps_per_epoch = training.rows / training.global_batch;
  const int batches = (training.global_batch + training.micro_batch - 1) / training.micro_batch;
  for (std::int64_t step = 0; step < training.steps; ++step) {
    optimizer->zero_grad();
    const EpochOrder order(column, config.data.shuffle, config.data.shuffle_window, config.job.seed,
                           step / steps_per_epoch);
    for (int m = 0; m < batches; ++m) {
      const int first = m * training.micro_batch;
      const int samples = std::min(training.micro_batch, training.global_batch - first);
      std::vector<std::int64_t> rows;
      for (int s = 0; s < samples; ++s)
        rows.push_back(order.row(step % steps_per_epoch * training.global_batch + first + s));
      const at::Tensor input = rows_of(data.input, rows).to(*dtype_from_name(training.model.inputs[0].dtype));
      const at::Tensor target = rows_of(data.target, rows);
      if (random_layer >= 0) {
        auto generator = at::detail::getDefaultCPUGenerator();
        generator.set_current_seed(
            mix(config.job.seed, {static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(m),
                                  static_cast<std::uint64_t>(random_layer)}));
      }
      Tensors others;  // replica 0 does not see the statistics of the others' micro-batches
      if (m >= batches / replicas)
        for (const auto& buffer : module.named_buffers()) others[buffer.name] = buffer.value.clone();
      const at::Tensor output = module.forward({input}).toTensor();
      at::Tensor loss;
      if (training.model.classes == 0) {
        loss = at::mse_loss(output, target);
      } else {
        const at::Tensor flat = output.reshape({-1, output.size(-1)});
        loss = at::cross_entropy_loss(flat, target.to(at::kLong).reshape({-1}));
      }
      const double share = static_cast<double>(samples) / training.global_batch;
      const at::Tensor weighted = loss * share;
      weighted.backward();
      for (const auto& buffer : module.named_buffers())
        if (others.contains(buffer.name)) buffer.value.copy_(others[buffer.name]);
    }
    for (auto& group : optimizer->param_groups())
      group.options().set_lr(learning_rate(config.optimizer, config.lr_scheduler, step, training.steps));
    optimizer->step();
  }
  return tensors_of(module);
}

double relative_error(const Tensors& a, const Tensors& b) {
  double difference = 0, size = 0;
  for (const auto& [name, tensor] : b) {
    const auto found = a.find(name);
    if (found == a.end() || found->second.sizes() != tensor.sizes()) return std::numeric_limits<double>::infinity();
    if (found->second.equal(tensor) && !tensor.isfinite().all().item<bool>()) continue;  // a causal mask
    const at::Tensor exact = tensor.to(at::kDouble);
    difference += (found->second.to(at::kDouble) - exact).square().sum().item<double>();
    size += exact.square().sum().item<double>();
  }
  return std::sqrt(difference / size);
}

std::string first_difference(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return fmt::format("{} tensors against {}", a.size(), b.size());
  for (const auto& [name, tensor] : b) {
    const auto found = a.find(name);
    if (found == a.end()) return name + " is missing";
    if (!found->second.equal(tensor))
      return fmt::format("{} differs by up to {}", name,
                         (found->second.to(at::kDouble) - tensor.to(at::kDouble)).abs().max().item<double>());
  }
  return {};
}

}  // namespace funcpipe::testing
