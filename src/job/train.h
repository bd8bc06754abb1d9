// The function manager: takes one job from its configuration to the trained model.
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
  // Contains model.pt, state_dict.pt, history.jsonl, validation.json, plan.json, job.json and bill.json.
  std::filesystem::path folder;
  std::vector<EpochResult> epochs;
  Bill bill;
  bool whole_bill = true;  // false: the requests of the functions are missing
  Prices prices;
  Seconds training_seconds = 0;  // divided by the dilation
  Bytes peak_memory = 0;         // of the largest worker
  int accidents = 0;             // workers that were lost and went on from a snapshot
};

// Trains as `config` says. Results of a former run of the same name are replaced once this run has succeeded and are
// otherwise left alone. When it returns, functions of the job are removed, and objects too unless the cloud does not
// answer, a finished training could not be made into results, or an unfinished one has snapshots to go on from
// (job/resume.h). A stop gives cancelled.
Result<TrainResult> train(const JobConfig& config, TrainObserver& observer, std::stop_token stop);

// Reads everything that a job names and checks that it fits together, as train does, without starting anything.
struct CheckedJob {
  JobSpec spec;  // without the manifests of the published data
  std::vector<std::string> remarks;
};
Result<CheckedJob> check_job(const JobConfig& config, std::stop_token stop);

}  // namespace funcpipe
