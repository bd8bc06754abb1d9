#include "job/watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "protocol/iteration_report.h"
#include "protocol/job_keys.h"
#include "protocol/validation_rounds.h"

namespace funcpipe {
namespace {

constexpr Seconds kShortestDelay = 0.2;  // a GET that finds nothing is billed, too
constexpr Seconds kLongestDelay = 5;

std::set<int> all_replicas(const JobSpec& spec) {
  std::set<int> replicas;
  for (int r = 0; r < spec.plan.replicas; ++r) replicas.insert(r);
  return replicas;
}

// Fetches the reports of the replicas in `missing` and removes those found from it. Returns whether there was one.
Result<bool> fetch(Store& store, std::set<int>& missing, const std::function<std::string(int)>& key,
                   const std::function<void(const std::vector<IterationReport>&)>& take) {
  bool found = false;
  for (auto replica = missing.begin(); replica != missing.end();) {
    const std::string name = key(*replica);
    FUNCPIPE_TRY(text, store.get_text(name));
    if (!text) {
      ++replica;
      continue;
    }
    FUNCPIPE_TRY(json, parse_json(*text, name));
    FUNCPIPE_TRY(reports, iteration_reports_from_json(json));
    take(reports);
    found = true;
    replica = missing.erase(replica);
  }
  return found;
}

}  // namespace

Watcher::Watcher(Store& store, const JobSpec& spec, std::string prefix, TrainObserver& observer, Clock& clock,
                 std::function<Dollars()> dollars)
    : store_(store),
      spec_(spec),
      prefix_(std::move(prefix)),
      observer_(observer),
      clock_(clock),
      dollars_(std::move(dollars)),
      start_(clock.now()),
      history_(spec),
      training_missing_(all_replicas(spec)),
      validation_missing_(all_replicas(spec)),
      last_arrival_(start_) {}

std::int64_t Watcher::next_report() const {
  const std::int64_t every = std::max(1, spec_.config.metrics.log_freq);
  return std::min(spec_.steps, (reported_ / every + 1) * every);
}

std::int64_t Watcher::end_of_line(std::size_t line) const {
  const auto n = static_cast<std::int64_t>(line);
  if (const auto iteration = validation_iteration(spec_, n)) return *iteration;
  return std::min(spec_.steps, (n + 1) * spec_.steps_per_epoch);
}

Result<bool> Watcher::fetch_training() {
  if (reported_ >= spec_.steps) return false;
  const std::int64_t due = next_report();
  FUNCPIPE_TRY(found, fetch(
                          store_, training_missing_, [&](int replica) { return report_key(prefix_, due, replica); },
                          [&](const auto& reports) { history_.add(reports); }));
  if (training_missing_.empty()) {
    training_missing_ = all_replicas(spec_);
    const std::int64_t before = std::exchange(reported_, due);
    tell_progress(before);
  }
  return found;
}

Result<bool> Watcher::fetch_validation() {
  const auto iteration = validation_iteration(spec_, round_);
  const std::int64_t every = std::max(1, spec_.config.metrics.log_freq);
  // Workers publish a round's report before the training report of its iteration, unless the interval ends with it.
  if (!iteration || *iteration > reported_ + every) return false;
  FUNCPIPE_TRY(found, fetch(
                          store_, validation_missing_,
                          [&](int replica) { return validation_report_key(prefix_, round_, replica); },
                          [&](const auto& reports) { history_.add_validation(round_, *iteration, reports); }));
  if (history_.validated(round_)) {
    ++round_;
    validation_missing_ = all_replicas(spec_);
  }
  return found;
}

Result<Seconds> Watcher::poll() {
  bool any = false;
  while (true) {
    FUNCPIPE_TRY(training, fetch_training());
    FUNCPIPE_TRY(validation, fetch_validation());
    tell_epochs();
    if (!training && !validation) break;
    any = true;
  }
  const Seconds now = clock_.now();
  if (any) {
    last_arrival_ = now;
    misses_ = 0;
  } else {
    ++misses_;
  }
  const Seconds iteration =
      history_.mean(std::max<std::int64_t>(0, reported_ - 20), reported_).seconds * spec_.config.platform.dilation;
  const Seconds interval = iteration * static_cast<double>(next_report() - reported_);
  if (reported_ > 0 && misses_ == 0) return std::clamp(0.9 * interval, kShortestDelay, 60.0);
  return std::clamp(0.1 * interval * misses_, kShortestDelay, kLongestDelay);
}

Result<> Watcher::finish() {
  FUNCPIPE_TRY(delay, poll());
  static_cast<void>(delay);
  if (reported_ < spec_.steps)
    return fail(ErrorCode::not_found,
                fmt::format("the workers are done but left no report of iteration {}", next_report()),
                report_key(prefix_, next_report(), *training_missing_.begin()));
  if (validation_iteration(spec_, round_))
    return fail(ErrorCode::not_found, fmt::format("the workers are done but left no report of validation {}", round_),
                validation_report_key(prefix_, round_, *validation_missing_.begin()));
  return {};
}

void Watcher::tell_progress(std::int64_t first) {
  const History::Mean latest = history_.mean(first, reported_);
  TrainingProgress progress;
  progress.iteration = reported_;
  progress.loss = latest.loss;
  progress.accuracy = latest.accuracy;
  progress.seconds_per_iteration = history_.mean(std::max<std::int64_t>(0, reported_ - 50), reported_).seconds;
  if (progress.seconds_per_iteration > 0)
    progress.samples_per_second = spec_.plan.global_batch / progress.seconds_per_iteration;
  progress.elapsed = (clock_.now() - start_) / spec_.config.platform.dilation;
  progress.left = progress.seconds_per_iteration * static_cast<double>(spec_.steps - reported_);
  progress.dollars = dollars_();
  observer_.progress(progress);
}

void Watcher::tell_epochs() {
  while (true) {
    const std::size_t line = epochs_.size();
    const std::int64_t before = line == 0 ? 0 : end_of_line(line - 1);
    const std::int64_t end = end_of_line(line);
    if (before >= spec_.steps || end > reported_) return;
    EpochResult result;
    if (validation_iteration(spec_, static_cast<std::int64_t>(line))) {
      const auto validation = history_.validation(static_cast<std::int64_t>(line));
      if (!validation) return;
      result = *validation;
    }
    const History::Mean train = history_.mean(before, end);
    result.epoch = static_cast<double>(end) / static_cast<double>(spec_.steps_per_epoch);
    result.train_loss = train.loss;
    result.train_accuracy = train.accuracy;
    result.elapsed = (clock_.now() - start_) / spec_.config.platform.dilation;
    epochs_.push_back(result);
    observer_.epoch(result);
  }
}

}  // namespace funcpipe
