// Collects the losses of one replica of the last stage over an iteration's micro-batches and publishes them every few
// iterations.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/iteration_report.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

// When and where reports are published: after every `every` iterations and after the last of `steps`, under key(number
// of iterations done).
struct ReportPlan {
  std::function<std::string(std::int64_t)> key;
  std::int64_t every = 1;
  std::int64_t steps = 0;
};
// Reports at report_key(prefix, n, replica), where n is a multiple of metrics.log_freq or the job's last iteration. A
// report has one entry for each iteration since the report before, whichever functions played them.
ReportPlan training_reports(const JobSpec& spec, const std::string& prefix, int replica);
// Reports at validation_report_key(prefix, round, replica). A report has one entry, whose `iteration` is the round.
ReportPlan validation_reports(const std::string& prefix, int replica);

// Thread-safe.
class Reporter {
 public:
  Reporter(Store& store, Clock& clock, ReportPlan plan);

  // Adds a micro-batch's share. `report.seconds` is ignored.
  void add(std::int64_t iteration, const IterationReport& report);

  // Tells that this worker has completed the iteration. Publishes a report if one is due.
  Result<> finish(std::int64_t iteration, std::stop_token stop = {});

  // Returns the finished iterations that no published report contains. They go into the snapshot.
  std::vector<IterationReport> unreported() const;
  void resume(std::vector<IterationReport> unreported);

  // Starts the clock of the next iteration. Without this call it starts at the end of the iteration before.
  void start_clock();

 private:
  Store& store_;
  Clock& clock_;
  const ReportPlan plan_;
  mutable std::mutex mutex_;  // guards the members below
  std::map<std::int64_t, IterationReport> open_;
  std::vector<IterationReport> finished_;
  Seconds since_;
};

}  // namespace funcpipe
