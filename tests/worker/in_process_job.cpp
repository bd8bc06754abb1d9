#include "in_process_job.h"

#include <ATen/TensorOperators.h>
#include <torch/csrc/jit/serialization/import.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "base/clock.h"
#include "model/model.h"
#include "protocol/invocation.h"
#include "protocol/job_keys.h"
#include "protocol/job_spec.h"
#include "protocol/programs.h"
#include "schedule/sync/sync_algorithm.h"
#include "worker/worker.h"

namespace funcpipe::testing {
namespace {

constexpr const char* kPrefix = "job";

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
  if (traits(plan.sync).has_server) plan.server = "c5.9xlarge";
  plan.order = cutting.order;
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

}  // namespace

Tensors tensors_of(const torch::jit::Module& module) {
  Tensors tensors;
  for (const auto& parameter : module.named_parameters()) tensors[parameter.name] = parameter.value.detach().clone();
  for (const auto& buffer : module.named_buffers()) tensors[buffer.name] = buffer.value.detach().clone();
  return tensors;
}

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

bool stages_share_parameters(const ModelDescription& model, const std::vector<int>& cuts) {
  std::set<int> seen;
  int first = 0;
  for (std::size_t stage = 0; stage <= cuts.size(); ++stage) {
    const int end = stage < cuts.size() ? cuts[stage] : static_cast<int>(model.layers.size());
    for (const int index : model.parameters_of(first, end))
      if (!seen.insert(index).second) return true;
    first = end;
  }
  return false;
}

Result<Outcome> train(const Training& training, const Cutting& cutting, Store& store, Seconds lifetime) {
  JobSpec spec;
  spec.id = "test";
  spec.config = config_of(training);
  FUNCPIPE_TRY(model, Model::load(training.model.file, training.model.inputs, spec.config.job.seed));
  spec.model = model.description();
  spec.plan = plan_of(training, cutting, spec.model);
  spec.recovery.iterations = spec.config.checkpoint.interval;
  spec.steps = training.steps;
  spec.steps_per_epoch = training.rows / training.global_batch;
  FUNCPIPE_TRY(data, publish(make_dataset(training.model, training.rows, 5), store, training_data_prefix("job")));
  spec.train = std::move(data);
  if (training.validation_rows > 0) {
    FUNCPIPE_TRY(held_out, publish(make_dataset(training.model, training.validation_rows, 6), store,
                                   validation_data_prefix("job")));
    spec.validation = std::move(held_out);
  }
  for (int stage = 0; stage < spec.plan.stage_count(); ++stage) {
    const StagePlan& span = spec.plan.stages[static_cast<std::size_t>(stage)];
    FUNCPIPE_TRY(archive, model.stage(span.first_layer, span.end_layer));
    FUNCPIPE_TRY_VOID(store.put(stage_key(kPrefix, stage), archive));
  }
  FUNCPIPE_TRY(proven, prove_programs(spec));

  std::mutex mutex;
  std::optional<Error> error;
  Outcome outcome;
  std::stop_source stop;
  SystemClock clock;
  {
    std::vector<std::jthread> workers;
    for (const WorkerId worker : spec.plan.workers())
      workers.emplace_back([&, worker] {
        WorkerInvocation invocation{"test", "bucket", kPrefix, worker, 0, proven.at(worker)};
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
          ++invocation.incarnation;
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
