#include "job/train.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <random>

#include "base/counted.h"
#include "config/precedence.h"
#include "job/check_data.h"
#include "job/cloud.h"
#include "job/former_runs.h"
#include "job/lifetimes.h"
#include "job/plan_of_job.h"
#include "job/process_needs.h"
#include "job/recovery_policy.h"
#include "job/remarks.h"
#include "job/resolve.h"
#include "job/results_folder.h"
#include "job/run.h"
#include "job/sample_rows.h"
#include "job/try_model.h"
#include "job/worker_tool.h"
#include "protocol/programs.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

// Returns a unique name for a run, such as "fashion-20261123-170052-3fa9". Names sort by time.
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

// Makes not_found an invalid_input: if a file or name that the user gave does not exist, the user must correct it.
template <class T>
Result<T> given_by_user(Result<T> result) {
  if (!result && result.error().code == ErrorCode::not_found) result.error().code = ErrorCode::invalid_input;
  return result;
}

struct Prepared {
  RunJob job;
  std::string planning;              // where the plan comes from; empty: from the user
  std::vector<std::string> remarks;  // what else the user should know
};

// True if the model also takes the target, although model.loss does not say that it is its own loss.
bool is_own_loss(const WorkerTool& worker, JobConfig config, const Dataset& data, std::stop_token stop) {
  if (config.model.loss == "model") return false;
  config.model.loss = "model";
  InputChoices choices = possible_inputs(config, data);
  std::erase_if(choices.taken, [](const auto& inputs) { return inputs.size() < 2; });
  return worker.describe_first(config.model_source(), choices.taken, stop).has_value();
}

// Returns a micro-batch that the model accepts if it refuses the one asked for; 0 if none of a few works.
int larger_micro_batch(const WorkerTool& worker, JobConfig config, const Dataset& data, std::stop_token stop) {
  constexpr int kMost = 16;
  while ((config.training.micro_batch *= 2) <= kMost) {
    const InputChoices choices = possible_inputs(config, data);
    if (worker.describe_first(config.model_source(), choices.taken, stop)) return config.training.micro_batch;
  }
  return 0;
}

// Describes the model on the first of the possible inputs that it accepts. If it accepts none, returns what it says of
// the first.
Result<DescribedModel> describe_model(const WorkerTool& worker, const JobConfig& config, const Dataset& data,
                                      std::stop_token stop) {
  const InputChoices choices = possible_inputs(config, data);
  std::vector<std::vector<TensorSpec>> all = choices.taken;
  all.insert(all.end(), choices.refused.begin(), choices.refused.end());
  auto described = worker.describe_first(config.model_source(), all, stop);
  if (described && described->choice >= choices.taken.size())
    return tl::unexpected(refused_types(config, data, described->model.inputs, described->refusal));
  if (!described && described.error().code == ErrorCode::invalid_input && is_own_loss(worker, config, data, stop))
    return fail(ErrorCode::invalid_input, "the model takes an input and a target, as one that computes its own loss",
                config.model.source, "set loss = \"model\" in [model]");
  if (!described && described.error().code == ErrorCode::invalid_input)
    if (const int more = larger_micro_batch(worker, config, data, stop); more > 0)
      described.error().hint = fmt::format("it takes micro-batches of {0}: set training.micro_batch to {0}", more);
  return described;
}

// That the workers' programs fit together, before anything is published.
Result<std::map<WorkerId, std::string>> prove(JobSpec spec, const Datasets& data, const std::stop_token& stop) {
  spec.validation.input.rows = data.validation.input.rows;  // the manifest does not exist yet
  return prove_programs(spec, stop);
}

Result<Prepared> prepare(const JobConfig& config, std::stop_token stop) {
  FUNCPIPE_TRY_VOID(check_own_needs());
  FUNCPIPE_TRY(worker, WorkerTool::find());
  FUNCPIPE_TRY(platform, given_by_user(load_platform(config.platform.name)));
  if (config.platform.lifetime > 0) platform.limits.lifetime = config.platform.lifetime;
  FUNCPIPE_TRY(data, given_by_user(load_datasets(config.data)));
  if (stop.stop_requested()) return stopped();
  FUNCPIPE_TRY(rows, SampleRows::of(data, rows_of_trials(config)));
  worker.use(std::make_shared<const SampleRows>(std::move(rows)));
  FUNCPIPE_TRY(described, given_by_user(describe_model(worker, config, data.train, stop)));
  const ModelDescription& model = described.model;
  FUNCPIPE_TRY_VOID(check_data(model, data, config));
  FUNCPIPE_TRY(planned, plan_of_job(config, model, platform, data, stop));
  FUNCPIPE_TRY(spec, resolve(config, model, data, planned.plan, run_id(config.job.name)));
  spec.numerics = described.numerics;
  FUNCPIPE_TRY_VOID(try_model(worker, spec, data, stop));
  FUNCPIPE_TRY(server, server_of(spec.plan));
  if (server && !config.platform.s3_endpoint.empty())
    return fail(ErrorCode::invalid_input, "a parameter server runs on this machine, beside an embedded cloud only",
                "parallelism.sync", "leave out platform.s3_endpoint, or choose another synchronisation");
  if (server) platform = beside(*server, std::move(platform));
  FUNCPIPE_TRY_VOID(foresee_lifetimes(spec, platform, planned.iteration));
  const bool embedded = config.platform.s3_endpoint.empty();
  spec.recovery =
      recovery_policy(spec, platform, embedded ? std::optional<Bytes>(room_on_disk(config.job.folder)) : std::nullopt);
  spec.config.training.wait_limit = patience_with(spec.recovery, spec, platform);
  FUNCPIPE_TRY(programs, prove(spec, data, stop));
  std::vector<std::string> said = remarks(spec, data);
  if (!planned.remark.empty()) said.push_back(planned.remark);
  FUNCPIPE_TRY_VOID(check_process_needs(spec));
  return Prepared{.job = {.platform = std::move(platform),
                          .data = std::move(data),
                          .worker = std::move(worker),
                          .spec = std::move(spec),
                          .server = std::move(server),
                          .programs = std::move(programs)},
                  .planning = std::move(planned.summary),
                  .remarks = std::move(said)};
}

}  // namespace

Result<CheckedJob> check_job(const JobConfig& config, std::stop_token stop) {
  FUNCPIPE_TRY(prepared, prepare(config, stop));
  return CheckedJob{std::move(prepared.job.spec), std::move(prepared.remarks)};
}

Result<TrainResult> train(const JobConfig& config, TrainObserver& observer, std::stop_token stop) {
  for (const std::string& note : config.outranked) observer.step(note);
  observer.step(fmt::format("reading model {} and data", config.model.source));
  FUNCPIPE_TRY(prepared, prepare(config, stop));
  RunJob& job = prepared.job;
  const JobSpec& spec = job.spec;
  if (!prepared.planning.empty()) observer.step(prepared.planning);
  for (const std::string& note : outranked_by_plan(config, spec.plan)) observer.step(note);
  for (const std::string& remark : prepared.remarks) observer.step("note: " + remark);
  FUNCPIPE_TRY(results, ResultsFolder::open(std::filesystem::path(config.job.folder) / config.job.name));
  const auto tell = [&](const std::string& what) { observer.step(what); };
  FUNCPIPE_TRY(former, FormerRuns::take_over(results, tell, stop));
  clear_dead_neighbours(results.path(), tell);

  observer.step(fmt::format("cutting it into {}", counted(spec.plan.stage_count(), "stage")));
  FUNCPIPE_TRY(stages,
               job.worker.cut(config.model_source(), spec.model.inputs, spec.plan, results.staging() / "cut", stop));
  FUNCPIPE_TRY(cloud, Cloud::open(config.platform, job.platform, results.cloud(), stop));
  observer.step(fmt::format("platform {}: {}", job.platform.name, cloud->description()));

  Run run(job, results, *cloud, observer, stop);
  FUNCPIPE_TRY_VOID(run.publish(stages));
  observer.step(fmt::format("starting {} ({} x {}){}", counted(spec.plan.worker_count(), "worker"),
                            counted(spec.plan.stage_count(), "stage"), counted(spec.plan.replicas, "replica"),
                            job.server ? " and parameter server " + job.server->name : ""));
  if (stop.stop_requested()) return stopped();
  return run.train();
}

}  // namespace funcpipe
