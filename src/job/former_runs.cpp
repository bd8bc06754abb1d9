#include "job/former_runs.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"
#include "emulator/isolation/leftovers.h"
#include "job/cloud.h"
#include "job/countdown.h"
#include "job/deploy.h"
#include "job/finish.h"
#include "protocol/job_keys.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr Seconds kReachLimit = 15;         // how long the endpoint of a former run may take to answer
constexpr const char* kOrdinary = "local";  // the platform of a cloud in which nothing is to run

std::string where(const RunRecord& record) {
  return record.embedded() ? std::string("its embedded cloud") : record.s3_endpoint;
}

Result<std::unique_ptr<Cloud>> cloud_of(const RunRecord& record, const fs::path& folder, const std::stop_token& stop) {
  FUNCPIPE_TRY(platform, load_platform(kOrdinary));
  return Cloud::open(record.cloud(), platform, folder, stop);
}

Result<bool> has_results(Cloud& cloud, const RunRecord& record, const std::stop_token& stop) {
  if (!record.spec) return false;
  return is_trained(*cloud.store().until(stop), *record.spec, record.prefix);
}

// Whether a broken off training may go on from snapshots.
Result<bool> can_go_on(Cloud& cloud, const RunRecord& record, const std::stop_token& stop) {
  if (!record.spec || !record.spec->recovery.enabled()) return false;
  return has_snapshots(*cloud.store().until(stop), record.prefix);
}

Error broken_off(const RunRecord& record, const fs::path& folder) {
  return {.code = ErrorCode::already_exists,
          .message = fmt::format("the training of run {} was broken off and has snapshots", record.id),
          .place = folder.string(),
          .hint = fmt::format("funcpipe resume {0} goes on with it; funcpipe clean {0} --discard gives it up",
                              folder.string())};
}

Error finished(const RunRecord& record, const fs::path& folder) {
  return {.code = ErrorCode::already_exists,
          .message = fmt::format("the training of run {} is finished, but its results are not assembled", record.id),
          .place = folder.string(),
          .hint = fmt::format("funcpipe assemble {0} makes them; funcpipe clean {0} --discard gives them up",
                              folder.string())};
}

// Removes functions and objects, but at endpoints of one's own not the mark that tells workers to end.
Result<> take_away(Cloud& cloud, const RunRecord& record, const std::stop_token& stop) {
  const auto store = cloud.store().until(stop);
  const std::string mark = stop_key(record.prefix);
  if (!record.embedded()) FUNCPIPE_TRY_VOID(store->put(mark, "its client was killed, and another run took over"));
  for (const std::string& name : record.functions)
    if (auto removed = cloud.functions().remove(name, stop); !removed && removed.error().code != ErrorCode::not_found)
      return removed;
  return remove_objects(*store, record.prefix,
                        [&](const std::string& key) { return !record.embedded() && key == mark; });
}

double dilation_of(const RunRecord& record) {
  return record.spec ? record.spec->config.platform.dilation : 1;
}

}  // namespace

Result<FormerRuns> FormerRuns::take_over(const ResultsFolder& results, const Tell& tell, std::stop_token stop) {
  FormerRuns former;
  former.cloud_ = results.cloud();
  for (const RunFolder& folder : RunFolder::all(results.runs())) {
    auto record = folder.read();
    if (!record) {
      // It was killed before it had anything, or it is no run's folder.
      if (record.error().code == ErrorCode::not_found)
        folder.remove();
      else
        tell(fmt::format("what a former run left cannot be read, and stays: {}", describe(record.error())));
      continue;
    }
    const Countdown countdown(kReachLimit, stop);
    auto cloud = cloud_of(*record, results.cloud(), record->embedded() ? stop : countdown.token());
    if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    if (!cloud && record->embedded()) return tl::unexpected(cloud.error());
    if (!cloud) {
      tell(fmt::format("run {} left objects at {}, which does not answer now; funcpipe clean {} removes them later",
                       record->id, where(*record), results.path().string()));
      continue;
    }
    FUNCPIPE_TRY(trained, has_results(**cloud, *record, stop));
    if (trained) return tl::unexpected(finished(*record, results.path()));
    FUNCPIPE_TRY(resumable, can_go_on(**cloud, *record, stop));
    if (resumable) return tl::unexpected(broken_off(*record, results.path()));
    FUNCPIPE_TRY_VOID(take_away(**cloud, *record, stop));
    tell(fmt::format("took away what run {} left in {}", record->id, where(*record)));
    if (record->embedded())
      folder.remove();
    else
      former.marked_.push_back({folder, std::move(*record), SystemClock().now()});
  }
  return former;
}

FormerRuns::FormerRuns(FormerRuns&& other) noexcept
    : cloud_(std::move(other.cloud_)), marked_(std::exchange(other.marked_, {})) {}

FormerRuns::~FormerRuns() {
  for (const Marked& run : marked_) {
    if (SystemClock().now() - run.since < kMarkPatience * dilation_of(run.record)) continue;  // the next run removes it
    const Countdown countdown(kReachLimit);
    auto cloud = cloud_of(run.record, cloud_, countdown.token());
    if (cloud && remove_objects(*(*cloud)->store().until(countdown.token()), run.record.prefix)) run.folder.remove();
  }
}

void clear_dead_neighbours(const fs::path& own, const Tell& tell) {
  std::error_code status;
  std::vector<fs::path> dead;
  for (const fs::directory_entry& entry : fs::directory_iterator(own.parent_path(), status)) {
    if (!entry.is_directory(status) || entry.path().filename() == own.filename()) continue;
    if (fs::exists(entry.path() / ".runs", status) || fs::exists(entry.path() / ".partial", status))
      dead.push_back(entry.path());
  }
  for (const fs::path& path : dead) {
    auto results = ResultsFolder::open_dead(path);
    if (!results) continue;  // a live process uses it
    for (const RunFolder& folder : RunFolder::all(results->runs())) {
      const auto record = folder.read();
      if (!record || !record->embedded()) continue;
      auto cloud = cloud_of(*record, results->cloud(), {});
      if (!cloud) continue;
      const auto trained = has_results(**cloud, *record, {});
      if (!trained) continue;
      const auto resumable = can_go_on(**cloud, *record, {});
      if (!resumable) continue;
      if (*resumable && !*trained) {
        tell(fmt::format("{0} holds a training that was broken off: funcpipe resume {0}", path.string()));
      } else if (*trained) {
        tell(fmt::format("{} holds a training whose results are not assembled: funcpipe assemble {}", path.string(),
                         path.string()));
      } else if (take_away(**cloud, *record, {})) {
        folder.remove();
        tell(fmt::format("took away what run {} left in {}", record->id, path.string()));
      }
    }
  }
}

namespace {

void tell_of_foreign(const fs::path& path, const Tell& tell) {
  tell(fmt::format("{}: left as it is; FuncPipe did not make it", path.string()));
}

bool remove_told(const RunFolder& folder, const Tell& tell) {
  if (folder.remove()) return true;
  tell(fmt::format("{}: left as it is; FuncPipe did not make what is in it", folder.path().string()));
  return false;
}

Result<> clean_run(const RunFolder& folder, const ResultsFolder& results, const CleanOptions& options, const Tell& tell,
                   const std::stop_token& stop) {
  auto record = folder.read();
  if (!record && record.error().code == ErrorCode::not_found) {
    if (remove_told(folder, tell))
      tell(fmt::format("{}: removed the folder of run {}, which was killed before it had anything",
                       results.path().string(), folder.path().filename().string()));
    return {};
  }
  if (!record) return tl::unexpected(record.error());
  auto cloud = cloud_of(*record, results.cloud(), stop);
  // An endpoint that could not be asked (for want of credentials, say) may well still have what the record names. Only
  // one that does not answer counts as unreachable.
  const bool silent =
      !cloud && (cloud.error().code == ErrorCode::unavailable || cloud.error().code == ErrorCode::timeout);
  if (silent && options.forget_unreachable) {
    tell(fmt::format("{}: what run {} left in {} is forgotten: {}", results.path().string(), record->id, where(*record),
                     cloud.error().message));
    remove_told(folder, tell);
    return {};
  }
  if (!cloud) {
    if (cloud.error().code == ErrorCode::unavailable && !record->embedded())
      cloud.error().hint = "start that cloud again, or give up what is there with --forget";
    return tl::unexpected(cloud.error());
  }
  FUNCPIPE_TRY(trained, has_results(**cloud, *record, stop));
  if (trained && !options.discard_trained) return tl::unexpected(finished(*record, results.path()));
  FUNCPIPE_TRY(resumable, can_go_on(**cloud, *record, stop));
  if (resumable && !options.discard_trained) return tl::unexpected(broken_off(*record, results.path()));
  FUNCPIPE_TRY_VOID(take_away(**cloud, *record, stop));
  if (!record->embedded()) {
    const Seconds wait = kMarkPatience * dilation_of(*record);
    tell(fmt::format("{}: giving workers that may still run {} to end", results.path().string(), format_seconds(wait)));
    SystemClock clock;
    if (!clock.sleep_until(clock.now() + wait, stop)) return fail(ErrorCode::cancelled, "stopped");
    FUNCPIPE_TRY_VOID(remove_objects(*(*cloud)->store().until(stop), record->prefix));
  }
  remove_told(folder, tell);
  tell(fmt::format("{}: took away what run {} left in {}", results.path().string(), record->id, where(*record)));
  return {};
}

bool is_stop(const std::vector<Error>& errors) {
  return !errors.empty() && errors.back().code == ErrorCode::cancelled;
}

void clean_results(const fs::path& path, const CleanOptions& options, const Tell& tell, const std::stop_token& stop,
                   std::vector<Error>& errors) {
  auto results = ResultsFolder::open_dead(path);
  if (!results && results.error().code == ErrorCode::unavailable) {
    tell(fmt::format("{}: a run is under way", path.string()));
    return;
  }
  if (!results) {
    errors.push_back(results.error());
    return;
  }
  for (const std::string& what : results->cleared()) tell(fmt::format("{}: {}", path.string(), what));
  for (const fs::path& foreign : results->foreign()) tell_of_foreign(foreign, tell);
  for (const fs::path& foreign : RunFolder::others(results->runs())) tell_of_foreign(foreign, tell);
  for (const RunFolder& folder : RunFolder::all(results->runs())) {
    if (auto cleaned = clean_run(folder, *results, options, tell, stop); !cleaned) errors.push_back(cleaned.error());
    if (is_stop(errors)) return;
  }
}

bool is_results_folder(const fs::path& path) {
  std::error_code status;
  return std::ranges::any_of(std::array{".runs", ".partial", ".commit", "cloud", "job.json", "model.pt"},
                             [&](const char* name) { return fs::exists(fs::symlink_status(path / name, status)); });
}

}  // namespace

std::vector<Error> clean(const fs::path& folder, const CleanOptions& options, const Tell& tell, std::stop_token stop) {
  std::error_code status;
  if (!fs::is_directory(folder, status))
    return {Error{ErrorCode::not_found, "there is no such folder", folder.string(),
                  "name a results folder, or the folder of all of them, such as runs"}};
  remove_leftover_groups();
  std::vector<fs::path> found;
  if (is_results_folder(folder)) {
    found.push_back(folder);
  } else {
    for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status))
      if (std::error_code ignored; at->is_directory(ignored) && is_results_folder(at->path()))
        found.push_back(at->path());
    std::sort(found.begin(), found.end());
  }
  std::vector<Error> errors;
  for (const fs::path& path : found) {
    clean_results(path, options, tell, stop, errors);
    if (is_stop(errors)) break;
  }
  return errors;
}

}  // namespace funcpipe
