// Losses of a last stage's replica, gathered over an iteration's micro-batches and published every few iterations.
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

// When and where reports are published: after every `every` iterations, and after the last of `steps`, under key(number
// of iterations done).
struct ReportPlan {
  std::function<std::string(std::int64_t)> key;
  std::int64_t every = 1;
  std::int64_t steps = 0;
};
// At report_key(prefix, n, replica), n a multiple of metrics.log_freq or the job's last; one entry per iteration since
// the report before, whatever functions played them.
ReportPlan training_reports(const JobSpec& spec, const std::string& prefix, int replica);
// At validation_report_key(prefix, round, replica); one entry, whose `iteration` is the round.
ReportPlan validation_reports(const std::string& prefix, int replica);

// Thread-safe.
class Reporter {
 public:
  Reporter(Store& store, Clock& clock, ReportPlan plan);

  // A micro-batch's share: `report.seconds` is ignored.
  void add(std::int64_t iteration, const IterationReport& report);

  // The iteration is complete on this worker; publishes when a report is due.
  Result<> finish(std::int64_t iteration, std::stop_token stop = {});

  // What no published report carries yet; travels in the snapshot.
  std::vector<IterationReport> unreported() const;
  void resume(std::vector<IterationReport> unreported);

  // The clock of an iteration starts here, or at the end of the one before.
  void start_clock();

 private:
  Store& store_;
  Clock& clock_;
  const ReportPlan plan_;
  mutable std::mutex mutex_;  // guards what follows
  std::map<std::int64_t, IterationReport> open_;
  std::vector<IterationReport> finished_;
  Seconds since_;
};

}  // namespace funcpipe
