// Everything a worker needs to know of its job: written once by the client at <prefix>/job.json, read by every worker.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "config/job_config.h"
#include "plan/plan.h"
#include "profile/model_description.h"
#include "schedule/memory.h"

namespace funcpipe {

// One column of a data set in the store: rows of equal size, in blocks of `block_rows` rows.
struct ColumnManifest {
  TensorSpec row;  // dtype and shape of one row, without the batch dimension
  std::int64_t rows = 0;
  std::int64_t block_rows = 0;
  std::string prefix;  // block b lies at prefix + 8 decimal digits of b
};
struct DatasetManifest {
  ColumnManifest input;
  ColumnManifest target;
  std::int64_t rows() const { return input.rows; }
};

struct JobSpec {
  static constexpr int kVersion = 1;
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
};

nlohmann::json to_json(const JobSpec& spec);
Result<JobSpec> job_spec_from_json(const nlohmann::json& json, const std::string& place);

// Keys under the job's prefix in the bucket; nobody else makes up names.
std::string job_spec_key(const std::string& prefix);          // prefix/job.json
std::string stage_key(const std::string& prefix, int stage);  // prefix/model/stage-03.pt
std::string report_key(const std::string& prefix, std::int64_t iteration,
                       int replica);  // prefix/report/i00000010-r0.json
std::string validation_report_key(const std::string& prefix, std::int64_t round, int replica);
std::string snapshot_key(const std::string& prefix, std::int64_t iteration, WorkerId worker);  // prefix/snapshot/...
std::string trace_key(const std::string& prefix, WorkerId worker);  // prefix/trace/s3-r0.json, server.json
std::string trained_key(const std::string& prefix, int stage);      // prefix/trained/stage-03.pt

// The payload a worker is invoked with, and its answer.
struct WorkerInvocation {
  std::string job;  // JobSpec::id
  std::string bucket, prefix;
  WorkerId worker;
  std::int64_t first_iteration = 0;  // > 0: from the snapshot of that iteration
  std::string programs;              // fingerprint of those the client has proven (worker/programs.h)
};
struct WorkerAnswer {
  std::string status;  // "done" | "continue" (invoke again from next_iteration)
  std::int64_t next_iteration = 0;
  Bytes peak_memory = 0;  // VmHWM
  std::string error;      // describe(error) when the worker failed
};
nlohmann::json to_json(const WorkerInvocation& invocation);
Result<WorkerInvocation> worker_invocation_from_json(const nlohmann::json& json);
nlohmann::json to_json(const WorkerAnswer& answer);
Result<WorkerAnswer> worker_answer_from_json(const nlohmann::json& json);

// What the last stage's replicas publish every metrics.log_freq iterations: one entry per iteration since the last.
struct IterationReport {
  std::int64_t iteration = 0;
  double loss = 0;           // sum over the replica's samples of the per-sample loss (see `samples`)
  std::int64_t correct = 0;  // predictions equal to the target (cross-entropy)
  std::int64_t predictions = 0;
  std::int64_t samples = 0;
  Seconds seconds = 0;  // wall seconds of the iteration on that worker
};
nlohmann::json to_json(const std::vector<IterationReport>& reports);
Result<std::vector<IterationReport>> iteration_reports_from_json(const nlohmann::json& json);

}  // namespace funcpipe
