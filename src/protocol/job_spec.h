// All that a worker needs to know about its job. The client writes it once, at PREFIX/job.json, and every worker reads
// it.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "config/job_config.h"
#include "plan/plan.h"
#include "profile/model_description.h"
#include "protocol/data_manifest.h"
#include "schedule/memory.h"

namespace funcpipe {

struct JobSpec {
  static constexpr int kVersion = 2;
  std::string id;  // unique per run
  JobConfig config;
  Plan plan;
  ModelDescription model;
  DatasetManifest train;
  DatasetManifest validation;        // rows() == 0 means that there is none.
  std::int64_t steps = 0;            // All iterations, from training.steps or training.epochs.
  std::int64_t steps_per_epoch = 0;  // Training rows / global batch; the remaining rows of an epoch are dropped.
  TrainingState state;
  // What determines the bits of results on the client's machine (model/numerics.h). A worker on which it differs
  // refuses the job. Empty accepts any worker.
  std::string numerics;
  // Predicted time, in seconds of the platform, of replacing a function of the stage that takes longest.
  struct HandOver {
    Seconds save = 0, load = 0;
  } hand_over;
  // Whether a lost worker is replayed, and how often workers save a snapshot for it. Both 0: objects go as soon as
  // their readers have taken them, and a lost worker ends the job.
  struct Recovery {
    Seconds period = 0;           // the platform's, between two snapshots of a worker
    std::int64_t iterations = 0;  // at most so many between two snapshots
    bool enabled() const { return period > 0 || iterations > 0; }
  } recovery;
};

nlohmann::json to_json(const JobSpec& spec);
Result<JobSpec> job_spec_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
