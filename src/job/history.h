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

// What the last stage's replicas reported, put together: sums over replicas, the slowest one's seconds.
class History {
 public:
  explicit History(const JobSpec& spec);

  void add(const std::vector<IterationReport>& reports);  // of one replica
  void add_validation(std::int64_t round, std::int64_t iteration, const std::vector<IterationReport>& reports);

  std::int64_t complete() const { return complete_; }  // iterations every replica has reported
  bool validated(std::int64_t round) const;            // every row was evaluated

  struct Mean {
    double loss = 0;
    std::optional<double> accuracy;
    Seconds seconds = 0;  // per iteration; dilation divided out
  };
  Mean mean(std::int64_t first, std::int64_t end) const;  // over complete iterations
  std::optional<EpochResult> validation(
      std::int64_t round) const;  // its loss and accuracy and `epoch`; no train figures

  std::string iterations_jsonl() const;  // history.jsonl: one object a line and iteration
  std::string validation_json() const;   // validation.json

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
