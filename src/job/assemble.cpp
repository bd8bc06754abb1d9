#include "job/assemble.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/files.h"
#include "job/cloud.h"
#include "job/deploy.h"
#include "job/finish.h"
#include "job/report_archive.h"
#include "job/results_folder.h"
#include "job/run_record.h"
#include "job/sample_rows.h"
#include "job/watch.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr const char* kOrdinary = "local";  // the platform of a cloud in which nothing is to run

// Passes on steps only: the reports are read a second time, and what they say was shown before.
class StepsOnly final : public TrainObserver {
 public:
  explicit StepsOnly(TrainObserver& observer) : observer_(observer) {}
  void step(const std::string& what) override { observer_.step(what); }
  void training_starts(const JobSpec&) override {}
  void progress(const TrainingProgress&) override {}
  void epoch(const EpochResult&) override {}
  void training_ends() override {}

 private:
  TrainObserver& observer_;
};

Result<> complete(Cloud& cloud, const RunFolder& run, const RunRecord& record, ResultsFolder& results,
                  TrainObserver& observer, const std::stop_token& stop) {
  FUNCPIPE_TRY(worker, WorkerTool::find());
  const auto store = cloud.store().until(stop);
  ReportArchive reports(*store, run.reports());
  SystemClock clock;
  StepsOnly steps(observer);
  Watcher watcher(reports, *record.spec, record.prefix, steps, clock, [] { return Dollars{0}; });
  if (auto read = watcher.finish(); !read) {
    if (read.error().code == ErrorCode::cancelled) return read;
    observer.step("history.jsonl is not complete: " + describe(read.error()));
  }
  observer.step("putting the trained model together");
  FUNCPIPE_TRY_VOID(write_records(*record.spec, watcher.history(), results.staging()));
  if (auto traced = collect_trace(*store, *record.spec, record.prefix, results.staging());
      !traced && !stop.stop_requested())
    observer.step("trace.json could not be made: " + describe(traced.error()));
  const JobSpec spec = record.spec_from_here();
  // The model is looked at on the rows on which it was cut, where they are still there: it may take no others.
  if (const auto data = load_datasets(spec.config.data))
    if (auto rows = SampleRows::of(*data, std::max(rows_of_trials(spec.config), std::int64_t{spec.model.micro_batch})))
      worker.use(std::make_shared<const SampleRows>(std::move(*rows)));
  FUNCPIPE_TRY_VOID(collect_model(*store, spec, record.prefix, worker, results.staging(), stop));
  if (const auto bill = read_file(run.bill())) FUNCPIPE_TRY_VOID(write_file(results.staging() / "bill.json", *bill));
  return results.commit();
}

}  // namespace

Result<Assembled> assemble(const fs::path& folder, TrainObserver& observer, std::stop_token stop) {
  FUNCPIPE_TRY(results, ResultsFolder::open_dead(folder));
  std::vector<RunFolder> runs = RunFolder::all(results.runs());
  std::reverse(runs.begin(), runs.end());
  std::optional<Error> first;
  for (const RunFolder& run : runs) {
    const auto record = run.read();
    if (!record || !record->spec) continue;
    FUNCPIPE_TRY(platform, load_platform(kOrdinary));
    auto cloud = Cloud::open(record->cloud(), platform, results.cloud(), stop);
    const auto trained =
        cloud ? is_trained(*(*cloud)->store().until(stop), *record->spec, record->prefix) : Result<bool>(false);
    if (!cloud || !trained) {
      Error error = cloud ? trained.error() : cloud.error();
      if (error.code == ErrorCode::cancelled) return tl::unexpected(std::move(error));
      if (!first) first = std::move(error);
      continue;
    }
    if (!*trained) continue;
    observer.step(fmt::format("run {} is trained", record->id));
    FUNCPIPE_TRY_VOID(results.make_staging());
    FUNCPIPE_TRY_VOID(complete(**cloud, run, *record, results, observer, stop));
    Assembled assembled{results.path(), record->id, fs::exists(results.path() / "bill.json")};
    Result<> removed;
    for (const std::string& name : record->functions)
      if (auto gone = (*cloud)->functions().remove(name); !gone && gone.error().code != ErrorCode::not_found)
        removed = gone;
    if (auto gone = remove_objects((*cloud)->store(), record->prefix); !gone) removed = gone;
    if (removed)
      run.remove();
    else
      observer.step(fmt::format("the run's objects stay in the cloud: {}; funcpipe clean {} removes them",
                                removed.error().message, folder.string()));
    return assembled;
  }
  if (first) return tl::unexpected(std::move(*first));
  if (runs.empty() && fs::exists(results.path() / "model.pt"))
    return fail(ErrorCode::not_found, "nothing is left to assemble: the results of the training are already there",
                folder.string(),
                fmt::format("they are {} and the files beside it", (results.path() / "model.pt").string()));
  return fail(ErrorCode::not_found,
              runs.empty() ? "no run waits here to be assembled" : "no run of this folder has finished its training",
              folder.string(),
              runs.empty() ? "name the results folder of a training, such as runs/NAME"
                           : "train it again, which takes away what the former run left");
}

}  // namespace funcpipe
