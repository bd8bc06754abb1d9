#include "worker/reporter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/job_keys.h"
#include "store/stoppable_store.h"

namespace funcpipe {

ReportPlan training_reports(const JobSpec& spec, const std::string& prefix, int replica) {
  return {[prefix, replica](std::int64_t done) { return report_key(prefix, done, replica); },
          std::max(1, spec.config.metrics.log_freq), spec.steps};
}

ReportPlan validation_reports(const std::string& prefix, int replica) {
  return {[prefix, replica](std::int64_t done) { return validation_report_key(prefix, done - 1, replica); }, 1, 0};
}

Reporter::Reporter(Store& store, Clock& clock, ReportPlan plan)
    : store_(store), clock_(clock), plan_(std::move(plan)), since_(clock.now()) {}

void Reporter::add(std::int64_t iteration, const IterationReport& report) {
  const std::lock_guard lock(mutex_);
  IterationReport& sum = open_[iteration];
  sum.iteration = iteration;
  sum.loss += report.loss;
  sum.correct += report.correct;
  sum.predictions += report.predictions;
  sum.samples += report.samples;
}

Result<> Reporter::finish(std::int64_t iteration, std::stop_token stop) {
  std::vector<IterationReport> due;
  std::int64_t end = 0;
  {
    const std::lock_guard lock(mutex_);
    IterationReport report = open_[iteration];
    open_.erase(iteration);
    report.iteration = iteration;
    const Seconds now = clock_.now();
    report.seconds = now - std::exchange(since_, now);
    finished_.push_back(report);
    // Two iterations may end here in either order, so a report is published once all its iterations are finished.
    const std::int64_t first = iteration / plan_.every * plan_.every;
    end = first + plan_.every;
    if (plan_.steps > 0) end = std::min(end, plan_.steps);
    const auto later = std::partition(finished_.begin(), finished_.end(), [&](const IterationReport& known) {
      return known.iteration < first || known.iteration >= end;
    });
    if (finished_.end() - later < end - first) return {};
    due.assign(later, finished_.end());
    finished_.erase(later, finished_.end());
  }
  std::sort(due.begin(), due.end(), [](const auto& x, const auto& y) { return x.iteration < y.iteration; });
  FUNCPIPE_TRY_VOID(until(store_, stop)->put(plan_.key(end), to_json(due).dump(), PutMode::create_if_absent));
  return {};
}

std::vector<IterationReport> Reporter::unreported() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

void Reporter::resume(std::vector<IterationReport> unreported) {
  const std::lock_guard lock(mutex_);
  finished_ = std::move(unreported);
}

void Reporter::start_clock() {
  const std::lock_guard lock(mutex_);
  since_ = clock_.now();
}

}  // namespace funcpipe
