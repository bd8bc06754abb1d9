#include "job/train.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <optional>
#include <random>

#include "base/clock.h"
#include "base/counted.h"
#include "config/precedence.h"
#include "job/cloud.h"
#include "job/deploy.h"
#include "job/finish.h"
#include "job/launch.h"
#include "job/plan_by_profile.h"
#include "job/resolve.h"
#include "job/results_folder.h"
#include "job/watch.h"
#include "job/worker_tool.h"

namespace funcpipe {
namespace {

// "fashion-20261123-170052-3fa9": unique per run, and in order of time.
std::string run_id(const std::string& name) {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("{}-{:04}{:02}{:02}-{:02}{:02}{:02}-{:04x}", name, utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, std::random_device{}() & 0xffff);
}

tl::unexpected<Error> stopped() {
  return fail(ErrorCode::cancelled, "stopped");
}

// A file or name the user gave and that is not there is the user's mistake.
template <class T>
Result<T> given_by_user(Result<T> result) {
  if (!result && result.error().code == ErrorCode::not_found) result.error().code = ErrorCode::invalid_input;
  return result;
}

struct Prepared {
  Platform platform;
  Datasets data;
  WorkerTool worker;
  JobSpec spec;
  std::optional<ParameterServer> server;  // the plan's; the platform is then that beside it
  std::string planning;                   // where the plan is from, for the user; empty: as the user said
};

// Whether the model takes the target too, though model.loss does not say that it is its own loss.
bool is_own_loss(const WorkerTool& worker, JobConfig config, const Dataset& data, std::stop_token stop) {
  if (config.model.loss == "model") return false;
  config.model.loss = "model";
  const std::vector<TensorSpec> likeliest = possible_inputs(config, data).front();
  return worker.describe(config.model.source, likeliest, config.job.seed, stop).has_value();
}

// With the first of the possible inputs that the model takes; if it takes none, what it says of the first.
Result<ModelDescription> describe_model(const WorkerTool& worker, const JobConfig& config, const Dataset& data,
                                        std::stop_token stop) {
  std::optional<Error> first;
  for (const std::vector<TensorSpec>& inputs : possible_inputs(config, data)) {
    auto model = worker.describe(config.model.source, inputs, config.job.seed, stop);
    if (model || model.error().code != ErrorCode::invalid_input) return model;
    if (!first) first = std::move(model).error();
  }
  if (is_own_loss(worker, config, data, stop))
    return fail(ErrorCode::invalid_input, "the model takes an input and a target, as one that computes its own loss",
                config.model.source, "set loss = \"model\" in [model]");
  return tl::unexpected(std::move(*first));
}

bool is_cut_evenly_by_default(const JobConfig& config) {
  return config.parallelism.plan.empty() && !config.given.contains("parallelism.stages") &&
         !config.given.contains("parallelism.replicas");
}

Result<Prepared> prepare(const JobConfig& config, std::stop_token stop) {
  FUNCPIPE_TRY(worker, WorkerTool::find());
  FUNCPIPE_TRY(platform, given_by_user(load_platform(config.platform.name)));
  if (config.platform.lifetime > 0) platform.limits.lifetime = config.platform.lifetime;
  FUNCPIPE_TRY(data, given_by_user(load_datasets(config.data)));
  if (stop.stop_requested()) return stopped();
  FUNCPIPE_TRY(model, given_by_user(describe_model(worker, config, data.train, stop)));
  std::optional<PlanOfJob> planned;
  if (is_planned_by_profile(config)) {
    FUNCPIPE_TRY(length, length_of(config, data, config.training.global_batch));
    FUNCPIPE_TRY(plan, plan_by_profile(config, model, platform, training_state(config, data), length.steps, stop));
    planned = std::move(plan);
  }
  FUNCPIPE_TRY(spec,
               resolve(config, model, platform, data, run_id(config.job.name), planned ? &planned->plan : nullptr));
  std::string planning;
  if (planned)
    planning = fmt::format("planned with {}: {}; it will be in {}", config.parallelism.profile, planned->summary,
                           (std::filesystem::path(config.job.folder) / config.job.name / "plan.json").string());
  else if (is_cut_evenly_by_default(config))
    planning =
        "neither a plan nor stages and replicas are set: cut evenly; with a profile of the model (funcpipe profile) in "
        "parallelism.profile it is planned";
  FUNCPIPE_TRY(server, server_of(spec.plan));
  if (server && !config.platform.s3_endpoint.empty())
    return fail(ErrorCode::invalid_input, "a parameter server runs on this machine, beside an embedded cloud only",
                "parallelism.sync", "leave out platform.s3_endpoint, or choose another synchronisation");
  if (server) platform = beside(*server, std::move(platform));
  return Prepared{std::move(platform), std::move(data),   std::move(worker),
                  std::move(spec),     std::move(server), std::move(planning)};
}

double vcpus_of(const Platform& platform, const StagePlan& stage) {
  const FunctionSize* size = platform.size(stage.memory_mb, stage.vcpus);
  return size ? size->vcpus : 0;
}

// What the workers under way have cost so far, which no REPORT line says yet.
Dollars running_cost(const Prepared& job, Seconds seconds) {
  Dollars sum = job.server ? job.server->per_second * seconds : 0;
  for (const StagePlan& stage : job.spec.plan.stages)
    sum += job.spec.plan.replicas *
           compute_price(job.platform.prices, stage.memory_mb, vcpus_of(job.platform, stage), seconds);
  return sum;
}

// Until the workers are done, with every report read; the error of whatever failed first.
Result<> follow(Fleet& fleet, Watcher& watcher, std::stop_token stop) {
  while (true) {
    auto delay = watcher.poll();
    if (auto failure = fleet.failure()) return tl::unexpected(std::move(*failure));
    if (stop.stop_requested()) return stopped();
    if (!delay) return tl::unexpected(delay.error());
    if (fleet.wait(*delay, stop)) return watcher.finish();
  }
}

Bill whole_bill(const Cloud& cloud, const Fleet& fleet) {
  Bill bill = cloud.bill();
  if (!cloud.embedded())
    for (const auto& [function, usage] : fleet.reported_usage().by_function) bill.by_function[function] += usage;
  return bill;
}

}  // namespace

Result<JobSpec> check_job(const JobConfig& config, std::stop_token stop) {
  FUNCPIPE_TRY(prepared, prepare(config, stop));
  return std::move(prepared.spec);
}

Result<TrainResult> train(const JobConfig& config, TrainObserver& observer, std::stop_token stop) {
  for (const std::string& note : config.outranked) observer.step(note);
  observer.step(fmt::format("reading model {} and data", config.model.source));
  FUNCPIPE_TRY(prepared, prepare(config, stop));
  auto& platform = prepared.platform;
  auto& data = prepared.data;
  auto& worker = prepared.worker;
  auto& spec = prepared.spec;
  if (!prepared.planning.empty()) observer.step(prepared.planning);
  for (const std::string& note : outranked_by_plan(config, spec.plan)) observer.step(note);
  FUNCPIPE_TRY(results, ResultsFolder::open(std::filesystem::path(config.job.folder) / config.job.name));

  observer.step(fmt::format("cutting it into {}", counted(spec.plan.stage_count(), "stage")));
  FUNCPIPE_TRY(stages, worker.cut(config.model.source, spec.model.inputs, config.job.seed, spec.plan,
                                  results.staging() / "cut", stop));
  FUNCPIPE_TRY(cloud, Cloud::open(config.platform, platform, results.cloud()));
  observer.step(fmt::format("platform {}: {}", platform.name, cloud->description()));

  Deployment deployment(cloud->store(), cloud->functions(), "jobs/" + spec.id);
  FUNCPIPE_TRY_VOID(deployment.publish(spec, data, stages, observer, stop));
  if (stop.stop_requested()) return stopped();
  data = {};

  FUNCPIPE_TRY(settings, function_template(*cloud, platform, config.platform.role, worker, deployment.prefix()));
  FUNCPIPE_TRY_VOID(deployment.create_functions(spec, settings, cloud->embedded()));
  observer.step(fmt::format("starting {} ({} x {}){}", counted(spec.plan.worker_count(), "worker"),
                            counted(spec.plan.stage_count(), "stage"), counted(spec.plan.replicas, "replica"),
                            prepared.server ? " and parameter server " + prepared.server->name : ""));
  if (stop.stop_requested()) return stopped();

  SystemClock clock;
  const Seconds start = clock.now();
  const auto platform_seconds = [&] { return (clock.now() - start) / config.platform.dilation; };
  Fleet fleet(
      cloud->functions(),
      {.job = spec.id,
       .bucket = config.platform.bucket,
       .prefix = deployment.prefix(),
       .workers = spec.plan.workers(),
       .function_of =
           [&](WorkerId id) {
             return deployment.function_of(spec.plan.stages[static_cast<std::size_t>(id.stage)].size());
           },
       .vcpus_of =
           [&](WorkerId id) { return vcpus_of(platform, spec.plan.stages[static_cast<std::size_t>(id.stage)]); },
       .serve = [&](const WorkerInvocation& invocation,
                    std::stop_token ended) { return worker.serve(invocation, cloud->client_environment(), ended); },
       .end_functions = [&] { cloud->end_functions(); }});
  const auto dollars = [&] {
    return cloud->bill().total().request_dollars(platform.prices) + running_cost(prepared, platform_seconds());
  };
  Watcher watcher(cloud->store(), spec, deployment.prefix(), observer, clock, dollars);
  observer.training_starts(spec);
  auto followed = follow(fleet, watcher, stop);
  const Seconds training_seconds = platform_seconds();
  observer.training_ends();
  if (!followed) observer.step("stopping the workers and taking the job out of the cloud");
  fleet.stop();
  if (!followed) return tl::unexpected(followed.error());

  observer.step("putting the trained model together");
  FUNCPIPE_TRY_VOID(collect_model(cloud->store(), spec, deployment.prefix(), worker, results.staging(), stop));
  FUNCPIPE_TRY_VOID(collect_trace(cloud->store(), spec, deployment.prefix(), results.staging()));
  FUNCPIPE_TRY_VOID(deployment.remove());
  TrainResult result;
  result.folder = results.path();
  result.epochs = watcher.epochs();
  result.bill = whole_bill(*cloud, fleet);
  if (prepared.server)
    result.bill.by_function["server " + prepared.server->name].rent = prepared.server->per_second * training_seconds;
  result.whole_bill = cloud->embedded();
  result.prices = platform.prices;
  result.training_seconds = training_seconds;
  result.peak_memory = fleet.peak_memory();
  FUNCPIPE_TRY_VOID(write_records(spec, watcher.history(), results.staging()));
  FUNCPIPE_TRY_VOID(write_bill(result.bill, result.prices, result.whole_bill, results.staging()));
  if (stop.stop_requested()) return stopped();
  FUNCPIPE_TRY_VOID(results.commit());
  return result;
}

}  // namespace funcpipe
