// Everything a worker needs to know of its job: written once by the client at <prefix>/job.json, read by every worker.
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
  DatasetManifest validation;        // rows() == 0: none
  std::int64_t steps = 0;            // iterations in all, resolved from steps or epochs
  std::int64_t steps_per_epoch = 0;  // train rows / global batch; the rest of an epoch is dropped
  TrainingState state;
  // What decides the bits where the job was made (model/numerics.h): workers whose own differ refuse it. Empty: any.
  std::string numerics;
  // What replacing a function takes, of the stage that takes longest: foretold, in the platform's seconds.
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
