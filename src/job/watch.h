// Follows a job by the report objects that its workers publish. They are fetched by name, never by LIST: first at the
// predicted time of arrival, then with growing pauses.
#pragma once

#include <functional>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "job/history.h"
#include "job/observer.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

class Watcher {
 public:
  // `dollars` returns what the job has cost so far.
  Watcher(Store& store, const JobSpec& spec, std::string prefix, TrainObserver& observer, Clock& clock,
          std::function<Dollars()> dollars);

  // Fetches every report that is due and exists, and tells the observer. Returns the seconds until the next call is
  // worthwhile.
  Result<Seconds> poll();

  // Called once the workers are done, when all reports must exist. Errors: not_found names the first that does not.
  Result<> finish();

  const History& history() const { return history_; }
  const std::vector<EpochResult>& epochs() const { return epochs_; }

 private:
  Result<bool> fetch_training();  // returns whether something new came
  Result<bool> fetch_validation();
  void tell_progress(std::int64_t first);
  void tell_epochs();
  std::int64_t next_report() const;  // iterations done at the report that is due next
  std::int64_t end_of_line(std::size_t line) const;

  Store& store_;
  const JobSpec& spec_;
  const std::string prefix_;
  TrainObserver& observer_;
  Clock& clock_;
  const std::function<Dollars()> dollars_;
  const Seconds start_;
  History history_;
  std::vector<EpochResult> epochs_;
  std::int64_t reported_ = 0;       // iterations done at the last complete report
  std::set<int> training_missing_;  // replicas whose next report has not come yet
  std::set<int> validation_missing_;
  std::int64_t round_ = 0;  // of the validation report that comes next
  Seconds last_arrival_;
  int misses_ = 0;  // polls in succession that found nothing
};

}  // namespace funcpipe
