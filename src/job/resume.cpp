#include "job/resume.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/counted.h"
#include "job/cloud.h"
#include "job/finish.h"
#include "job/process_needs.h"
#include "job/results_folder.h"
#include "job/run.h"
#include "job/run_record.h"
#include "job/worker_tool.h"
#include "protocol/job_keys.h"
#include "protocol/programs.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

// The latest run that has published what its workers need.
Result<RunRecord> broken_off(const ResultsFolder& results) {
  std::vector<RunFolder> runs = RunFolder::all(results.runs());
  std::reverse(runs.begin(), runs.end());
  for (const RunFolder& run : runs) {
    auto record = run.read();
    if (record && record->spec) return record;
    if (!record && record.error().code != ErrorCode::not_found) return record;  // damaged, with the way out
  }
  const bool finished = runs.empty() && fs::exists(results.path() / "model.pt");
  return fail(ErrorCode::not_found,
              finished       ? "the training of this folder is finished: its results are there"
              : runs.empty() ? "no training of this folder was broken off"
                             : "the training was broken off before its data and its model were published",
              results.path().string(),
              finished ? fmt::format("they are {} and the files beside it", (results.path() / "model.pt").string())
                       : "start it with funcpipe train");
}

Result<RunJob> job_of(const RunRecord& record, const std::stop_token& stop) {
  FUNCPIPE_TRY(worker, WorkerTool::find());
  JobSpec spec = record.spec_from_here();
  FUNCPIPE_TRY(platform, load_platform(spec.config.platform.name));
  if (spec.config.platform.lifetime > 0) platform.limits.lifetime = spec.config.platform.lifetime;
  FUNCPIPE_TRY_VOID(check_process_needs(spec));
  FUNCPIPE_TRY(programs, prove_programs(spec, stop));
  return RunJob{.platform = std::move(platform),
                .data = {},
                .worker = std::move(worker),
                .spec = std::move(spec),
                .server = std::nullopt,
                .programs = std::move(programs)};
}

}  // namespace

Result<TrainResult> resume(const fs::path& folder, TrainObserver& observer, std::stop_token stop) {
  auto opened = ResultsFolder::open_dead(folder);
  if (!opened && opened.error().code == ErrorCode::unavailable)
    opened.error().hint = "it does not need to be resumed while its client runs: wait for it, or stop it first";
  FUNCPIPE_TRY(results, std::move(opened));
  FUNCPIPE_TRY(record, broken_off(results));
  FUNCPIPE_TRY(job, job_of(record, stop));
  FUNCPIPE_TRY_VOID(results.make_staging());
  FUNCPIPE_TRY(cloud, Cloud::open(job.spec.config.platform, job.platform, results.cloud(), stop));
  FUNCPIPE_TRY(trained, is_trained(*cloud->store().until(stop), job.spec, record.prefix));
  if (trained)
    return fail(ErrorCode::already_exists, fmt::format("the training of run {} is finished", record.id),
                folder.string(), fmt::format("funcpipe assemble {} makes its results", folder.string()));
  if (!job.spec.recovery.enabled())
    return fail(ErrorCode::invalid_input,
                job.spec.plan.has_server() ? "a job with a parameter server cannot go on where it was broken off"
                                           : "this job was told to keep nothing to go on with",
                job.spec.plan.has_server() ? "parallelism.sync" : "checkpoint.period",
                "take it away with funcpipe clean, and train again");
  FUNCPIPE_TRY(published, cloud->store().until(stop)->size(job_spec_key(record.prefix)));
  if (!published)
    return fail(ErrorCode::not_found, fmt::format("run {} has no job.json in the store any more", record.id),
                folder.string(),
                fmt::format("funcpipe clean {} --discard takes away what is left; then train again", folder.string()));
  observer.step(fmt::format("run {} goes on; platform {}: {}", record.id, job.platform.name, cloud->description()));
  Run run(job, results, *cloud, observer, stop);
  FUNCPIPE_TRY_VOID(run.adopt(record));
  observer.step(
      fmt::format("starting {}, each from its newest snapshot", counted(job.spec.plan.worker_count(), "worker")));
  return run.train();
}

}  // namespace funcpipe
