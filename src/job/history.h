#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job/observer.h"
#include "protocol/iteration_report.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Combines the reports of the last stage's replicas: sums their losses and counts, and takes the slowest one's seconds.
class History {
 public:
  explicit History(const JobSpec& spec);

  void add(const std::vector<IterationReport>& reports);  // of one replica
  void add_validation(std::int64_t round, std::int64_t iteration, const std::vector<IterationReport>& reports);

  std::int64_t complete() const { return complete_; }  // iterations that every replica has reported
  bool validated(std::int64_t round) const;            // true if every row was evaluated

  struct Mean {
    double loss = 0;
    std::optional<double> accuracy;
    Seconds seconds = 0;  // per iteration, divided by the dilation
  };
  Mean mean(std::int64_t first, std::int64_t end) const;  // over complete iterations
  // Has the round's loss, accuracy and `epoch`, but no training figures.
  std::optional<EpochResult> validation(std::int64_t round) const;

  std::string iterations_jsonl() const;  // history.jsonl: one JSON object on a line for each iteration
  std::string validation_json() const;   // the content of validation.json

 private:
  struct Round {
    std::int64_t iteration = 0;
    IterationReport sum;
  };
  const std::int64_t steps_per_epoch_, global_batch_, validation_rows_;
  const double dilation_;
  std::vector<IterationReport> iterations_;
  std::map<std::int64_t, Round> rounds_;
  std::int64_t complete_ = 0;
};

}  // namespace funcpipe
