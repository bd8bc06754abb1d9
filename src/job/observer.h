// What a job tells the one who watches it. Called from one thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/units.h"
#include "protocol/job_spec.h"

namespace funcpipe {

struct TrainingProgress {
  std::int64_t iteration = 0;         // how many iterations are finished
  double loss = 0;                    // mean for a sample, over the iterations reported last
  std::optional<double> accuracy;     // of the same; only if the loss counts predictions
  Seconds seconds_per_iteration = 0;  // of the platform: divided by the dilation
  double samples_per_second = 0;
  Seconds elapsed = 0;  // since the workers were invoked
  Seconds left = 0;
  Dollars dollars = 0;  // spent so far
};

// One line of the table at the end, for an epoch or a validation round.
struct EpochResult {
  double epoch = 0;       // passes over the data so far
  double train_loss = 0;  // mean for a sample since the line before
  std::optional<double> train_accuracy;
  std::optional<double> validation_loss;
  std::optional<double> validation_accuracy;
  Seconds elapsed = 0;
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void step(const std::string& what) = 0;  // preparation and clean-up, as they begin: "starting 4 functions"
  virtual void training_starts(const JobSpec& spec) = 0;
  virtual void progress(const TrainingProgress& progress) = 0;
  virtual void epoch(const EpochResult& result) = 0;
  virtual void training_ends() = 0;  // called after a failure, too
};

}  // namespace funcpipe
