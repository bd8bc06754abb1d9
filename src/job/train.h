// The function manager: one job from its configuration to the trained model.
#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "catalog/bill.h"
#include "catalog/platform.h"
#include "config/job_config.h"
#include "job/observer.h"
#include "protocol/job_spec.h"

namespace funcpipe {

struct TrainResult {
  std::filesystem::path
      folder;  // model.pt, state_dict.pt, history.jsonl, validation.json, plan.json, job.json, bill.json
  std::vector<EpochResult> epochs;
  Bill bill;
  bool whole_bill = true;  // false: the functions' own requests are not in it
  Prices prices;
  Seconds training_seconds = 0;  // dilation divided out
  Bytes peak_memory = 0;         // of the largest worker
  int accidents = 0;             // workers that were lost and went on from a snapshot
};

// Trains as `config` says. Results of a former run of the same name are replaced once this one has succeeded, and left
// alone otherwise. Functions and objects of the job are gone when this returns, whatever the outcome, unless the cloud
// itself is. A requested stop gives cancelled.
Result<TrainResult> train(const JobConfig& config, TrainObserver& observer, std::stop_token stop);

// Reads everything a job names and checks that it fits together, without starting anything, exactly as train does.
struct CheckedJob {
  JobSpec spec;  // without the manifests of published data
  std::vector<std::string> remarks;
};
Result<CheckedJob> check_job(const JobConfig& config, std::stop_token stop);

}  // namespace funcpipe
