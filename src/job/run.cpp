#include "job/run.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "catalog/bill_file.h"
#include "job/countdown.h"
#include "job/finish.h"
#include "job/former_runs.h"
#include "job/report_archive.h"
#include "job/waiting_chain.h"
#include "protocol/invocation.h"
#include "protocol/job_keys.h"

namespace funcpipe {
namespace {

constexpr Seconds kBetweenBills = 10;  // that are noted for whoever comes after this client
constexpr Seconds kSilentStore = 600;  // how long the store may be silent to this client while the workers go on
constexpr Seconds kPauseOfSilentStore = 2;
// Limits for cleaning up in the cloud after a failure or a stop: if the cloud answers, and if it does not.
constexpr Seconds kCleanUp = 120, kHopelessCleanUp = 10;
// How long workers may take to see the stop mark and end, in the platform's seconds.
constexpr Seconds kGrace = 30;

tl::unexpected<Error> stopped() {
  return fail(ErrorCode::cancelled, "stopped");
}

double vcpus_of(const Platform& platform, const StagePlan& stage) {
  const FunctionSize* size = platform.size(stage.memory_mb, stage.vcpus);
  return size ? size->vcpus : 0;
}

// Returns what the workers under way have cost so far. No REPORT line tells that yet.
Dollars running_cost(const RunJob& job, Seconds seconds) {
  Dollars sum = job.server ? job.server->per_second * seconds : 0;
  for (const StagePlan& stage : job.spec.plan.stages)
    sum += job.spec.plan.replicas *
           compute_price(job.platform.prices, stage.memory_mb, vcpus_of(job.platform, stage), seconds);
  return sum;
}

// Until the workers are done, with the reports read that there are; the error of whatever failed first. A store that
// does not answer this client is the workers' business: they fail if it does not answer them.
Result<> follow(InvokedWorkers& workers, Watcher& watcher, TrainObserver& observer,
                const std::function<void()>& keep_up, std::stop_token stop) {
  SystemClock clock;
  Seconds last_read = clock.now();
  bool told = false;
  while (true) {
    auto delay = watcher.poll();
    keep_up();
    if (auto failure = workers.failure()) return tl::unexpected(std::move(*failure));
    if (stop.stop_requested()) return stopped();
    if (!delay) {
      const bool may_pass = delay.error().code == ErrorCode::unavailable || delay.error().code == ErrorCode::timeout;
      if (!may_pass || clock.now() - last_read > kSilentStore) return tl::unexpected(delay.error());
      if (!std::exchange(told, true)) observer.step("the reports cannot be read now: " + describe(delay.error()));
      delay = kPauseOfSilentStore;
    } else {
      last_read = clock.now();
      told = false;
    }
    if (!workers.wait(*delay, stop)) continue;
    if (auto read = watcher.finish(); !read) observer.step("history.jsonl is not complete: " + describe(read.error()));
    return {};
  }
}

std::string told(const Accident& accident) {
  const std::string& message = accident.error.message;
  const std::string what = accident.error.place.empty() ? to_string(accident.worker) : accident.error.place;
  return fmt::format("{} was lost{}: {}; it is started again and goes on from what it has saved", what,
                     accident.times > 1 ? fmt::format(" (for the {}. time)", accident.times) : "",
                     message.substr(0, message.find('\n')));
}

Bill whole_bill(const Cloud& cloud, const InvokedWorkers& workers) {
  Bill bill = cloud.bill();
  if (!cloud.embedded())
    for (const auto& [function, usage] : workers.reported_usage().by_function) bill.by_function[function] += usage;
  return bill;
}

// For a finished training without results: adds to `error` what is kept and how to go on.
tl::unexpected<Error> kept(Error error, const ResultsFolder& results) {
  const std::string way =
      fmt::format("the training is finished and its weights are kept: funcpipe assemble {} makes the results",
                  results.path().string());
  error.hint = error.hint.empty() ? way : error.hint + "; " + way;
  return tl::unexpected(std::move(error));
}

}  // namespace

Run::Run(RunJob& job, ResultsFolder& results, Cloud& cloud, TrainObserver& observer, std::stop_token stop)
    : job_(job),
      spec_(job.spec),
      config_(job.spec.config),
      results_(results),
      cloud_(cloud),
      observer_(observer),
      stop_(std::move(stop)),
      folder_(results.runs() / spec_.id),
      record_(record_of(config_.platform, spec_.id, job_prefix(spec_.id))),
      deployment_(cloud.store(), cloud.functions(), record_.prefix) {}

Run::~Run() {
  if (!recorded_) return;
  // A cloud that does not answer is not waited for long.
  const Countdown probing(kHopelessCleanUp);
  if (!hopeless_ && !cloud_.embedded())
    hopeless_ = !cloud_.store().until(probing.token())->size(stop_key(record_.prefix));
  const Countdown countdown(kCleanUp);
  if (!hopeless_ && clean_up(countdown.token())) return;
  deployment_.abandon();
  observer_.step(fmt::format("not everything could be taken out of the cloud; funcpipe clean {} does it",
                             results_.path().string()));
}

Result<> Run::publish(const std::vector<std::filesystem::path>& stages) {
  FUNCPIPE_TRY_VOID(folder_.write(record_));
  recorded_ = true;
  FUNCPIPE_TRY_VOID(deployment_.publish(spec_, job_.data, stages, observer_, stop_));
  if (stop_.stop_requested()) return stopped();
  job_.data = {};
  record_.spec = spec_;
  FUNCPIPE_TRY_VOID(folder_.write(record_));
  return create_functions();
}

Result<> Run::adopt(const RunRecord& record) {
  FUNCPIPE_TRY(latest, latest_claim(*cloud_.store().until(stop_), record.prefix));
  // Later than every life before, whichever client began it and whatever its clock said.
  first_incarnation_ = std::max(static_cast<std::int64_t>(unix_time()) * 1000, latest + 1);
  record_ = record;
  if (const auto text = read_json(folder_.bill()))
    if (auto bill = bill_from_json(*text, folder_.bill().string())) former_bill_ = std::move(*bill);
  recorded_ = resumable_ = adopted_ = true;
  deployment_.adopt();
  if (!cloud_.embedded()) FUNCPIPE_TRY_VOID(end_former_workers());
  return create_functions();
}

// Nobody can tell whether they run: they find the mark, or have ended long ago.
Result<> Run::end_former_workers() {
  const Seconds wait = kMarkPatience * config_.platform.dilation;
  observer_.step(fmt::format("giving workers of the former client that may still run {} to end", format_seconds(wait)));
  const auto store = cloud_.store().until(stop_);
  const std::string mark = stop_key(record_.prefix);
  FUNCPIPE_TRY_VOID(store->put(mark, "another client goes on with it"));
  SystemClock clock;
  if (!clock.sleep_until(clock.now() + wait, stop_)) return stopped();
  return store->remove(std::span(&mark, 1));
}

Result<> Run::create_functions() {
  FUNCPIPE_TRY(settings, function_template(cloud_, job_.platform, config_.platform.role, job_.worker, record_.prefix));
  const auto created = [&](const std::string& name) {
    if (std::ranges::find(record_.functions, name) == record_.functions.end()) record_.functions.push_back(name);
    return folder_.write(record_);
  };
  return deployment_.create_functions(spec_, settings, cloud_.embedded() || resumable_, created, stop_);
}

Result<TrainResult> Run::train() {
  const auto store = cloud_.store().until(stop_);
  ReportArchive reports(*store, folder_.reports());
  SystemClock clock;
  const Seconds start = clock.now();
  const auto platform_seconds = [&] { return (clock.now() - start) / config_.platform.dilation; };
  InvokedWorkers workers(cloud_.functions(), launch_options());
  const auto tell_accidents = [&] {
    for (const Accident& accident : workers.take_accidents()) {
      ++accidents_;
      observer_.step(told(accident));
    }
  };
  std::optional<Seconds> trained_in;  // the server's machine is rented until then
  const auto bill_now = [&] {
    Bill bill = whole_bill(cloud_, workers);
    if (job_.server)
      bill.by_function["server " + job_.server->name].rent =
          job_.server->per_second * trained_in.value_or(platform_seconds());
    for (const auto& [name, usage] : former_bill_.by_function) bill.by_function[name] += usage;
    return bill;
  };
  // For `assemble` and `resume`, whatever becomes of this client.
  const auto note_bill = [&] {
    static_cast<void>(write_bill(bill_now(), job_.platform.prices, cloud_.embedded(), folder_.path()));
  };
  Seconds noted = clock.now();
  const auto keep_up = [&] {
    tell_accidents();
    if (clock.now() - noted < kBetweenBills) return;
    noted = clock.now();
    note_bill();
  };
  const auto dollars = [&] {
    return cloud_.bill().total().request_dollars(job_.platform.prices) + running_cost(job_, platform_seconds());
  };
  Watcher watcher(reports, spec_, record_.prefix, observer_, clock, dollars);
  observer_.training_starts(spec_);
  auto followed = follow(workers, watcher, observer_, keep_up, stop_);
  tell_accidents();
  const Seconds training_seconds = trained_in.emplace(platform_seconds());
  observer_.training_ends();
  if (!followed) {
    Result<> ended = end_early(workers, followed.error());
    note_bill();
    FUNCPIPE_TRY_VOID(std::move(ended));
  }
  workers.stop();
  trained_ = true;

  TrainResult result;
  result.folder = results_.path();
  result.epochs = watcher.epochs();
  result.whole_bill = cloud_.embedded();
  result.prices = job_.platform.prices;
  result.training_seconds = training_seconds;
  result.peak_memory = workers.peak_memory();
  result.accidents = accidents_;
  note_bill();
  if (auto made = make_results(
          *store, watcher, [&] { result.bill = bill_now(); }, result);
      !made)
    return kept(made.error(), results_);
  committed_ = true;
  return result;
}

LaunchOptions Run::launch_options() {
  const auto stage_of = [this](WorkerId id) -> const StagePlan& {
    return spec_.plan.stages[static_cast<std::size_t>(id.stage)];
  };
  LaunchOptions options{
      .job = spec_.id,
      .bucket = config_.platform.bucket,
      .prefix = record_.prefix,
      .workers = spec_.plan.workers(),
      .function_of = [=, this](WorkerId id) { return deployment_.function_of(stage_of(id).size()); },
      .programs = job_.programs,
      .vcpus_of = [=, this](WorkerId id) { return vcpus_of(job_.platform, stage_of(id)); },
      .serve = [this](
                   const WorkerInvocation& invocation,
                   std::stop_token ended) { return job_.worker.serve(invocation, cloud_.client_environment(), ended); },
      .memory_is_limited = !cloud_.embedded() || (job_.platform.limited && job_.platform.limit_memory),
      .restarts = spec_.recovery.enabled() ? config_.training.restarts : 0,
      .first_incarnation = first_incarnation_};
  if (cloud_.embedded()) {
    options.end_functions = [this] { cloud_.end_functions(); };
  } else {
    options.mark_stop = [this](const std::string& reason) {
      const Countdown countdown(kHopelessCleanUp);
      auto marked = cloud_.store().until(countdown.token())->put(stop_key(record_.prefix), reason);
      hopeless_ = !marked;
      if (!marked) return Result<>(tl::unexpected(marked.error()));
      return Result<>();
    };
    options.grace = kGrace * config_.platform.dilation;
  }
  return options;
}

// Some worker failed, or the user stopped the job. No error: every stage is trained all the same, and this goes on.
Result<> Run::end_early(InvokedWorkers& workers, Error error) {
  observer_.step("stopping the workers and taking the job out of the cloud");
  const std::string reason =
      error.code == ErrorCode::cancelled ? std::string("the user stopped it") : error.place + ": " + error.message;
  still_running_ = workers.stop(reason.substr(0, reason.find('\n')));
  const Countdown countdown(hopeless_ ? kHopelessCleanUp : kCleanUp);
  const auto store = cloud_.store().until(countdown.token());
  const auto trained = is_trained(*store, spec_, record_.prefix);
  trained_ = trained && *trained;
  if (!trained) hopeless_ = true;  // it is unknown what is there, so nothing is deleted
  if (trained_ && error.code == ErrorCode::cancelled) return kept(std::move(error), results_);
  if (trained_) {
    observer_.step("the weights of every stage are trained nevertheless: " + describe(error));
    return {};
  }
  if (still_running_ > 0)
    observer_.step(fmt::format("{} worker{} may still run at {}, at the longest for a function's lifetime",
                               still_running_, still_running_ == 1 ? "" : "s", config_.platform.s3_endpoint));
  if (const auto failed = workers.failed_worker(); failed && error.code != ErrorCode::cancelled)
    error = tell_chain(std::move(error), waiting_chain(*store, record_.prefix, *failed));
  if (const auto goes_on = can_go_on(*store); adopted_ || !goes_on || *goes_on) {
    resumable_ = true;
    const std::string way = fmt::format(
        "the training is kept as far as it came: funcpipe resume {0} goes on with it, "
        "funcpipe clean {0} --discard gives it up",
        results_.path().string());
    error.hint = error.hint.empty() ? way : error.hint + "; " + way;
  } else {
    resumable_ = false;
  }
  return tl::unexpected(std::move(error));
}

// Whether there is more of the training in the cloud than its beginning.
Result<bool> Run::can_go_on(Store& store) const {
  return spec_.recovery.enabled() ? has_snapshots(store, record_.prefix) : Result<bool>(false);
}

Result<> Run::make_results(Store& store, const Watcher& watcher, const std::function<void()>& bill_so_far,
                           const TrainResult& result) {
  observer_.step("putting the trained model together");
  const std::filesystem::path folder = results_.staging();
  FUNCPIPE_TRY_VOID(write_records(spec_, watcher.history(), folder));
  if (auto traced = collect_trace(store, spec_, record_.prefix, folder); !traced && !stop_.stop_requested())
    observer_.step("trace.json could not be made: " + describe(traced.error()));
  FUNCPIPE_TRY_VOID(collect_model(store, spec_, record_.prefix, job_.worker, folder, stop_));
  bill_so_far();
  FUNCPIPE_TRY_VOID(write_bill(result.bill, result.prices, result.whole_bill, folder));
  if (stop_.stop_requested()) return stopped();
  return results_.commit();
}

// Objects go once results are committed, or where there are none to be made and nothing to go on with.
Result<> Run::clean_up(const std::stop_token& stop) {
  if (trained_ && !committed_) return deployment_.keep_results(stop);
  if (resumable_ && !committed_) return deployment_.keep_objects(stop);
  if (still_running_ > 0) return deployment_.keep_stop_mark(stop);
  FUNCPIPE_TRY_VOID(deployment_.remove(stop));
  if (recorded_) folder_.remove();
  return {};
}

}  // namespace funcpipe
