// Keys of all objects under a job's prefix in the bucket, except those that workers exchange within an iteration
// (object_key, schedule/operation.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plan/plan.h"
#include "protocol/worker_ledger.h"

namespace funcpipe {

std::string job_prefix(const std::string& id);  // jobs/ID; `id` is JobSpec::id

// Objects that the client writes for the workers.
std::string job_spec_key(const std::string& prefix);          // prefix/job.json
std::string stage_key(const std::string& prefix, int stage);  // prefix/model/stage-03.pt
std::string stop_key(const std::string& prefix);              // prefix/stop: workers end once it exists

// A data set's place, its columns' places within, and the blocks of a column (protocol/data_manifest.h).
std::string training_data_prefix(const std::string& prefix);                        // prefix/data/train
std::string validation_data_prefix(const std::string& prefix);                      // prefix/data/validation
std::string input_column_prefix(const std::string& dataset);                        // dataset/input/
std::string target_column_prefix(const std::string& dataset);                       // dataset/target/
std::string block_key(const std::string& column_prefix, std::int64_t block_index);  // dataset/input/00000012

// Objects that workers write for the client, or for later invocations of themselves (snapshots).
std::string report_key(const std::string& prefix, std::int64_t iteration,
                       int replica);  // prefix/report/i00000010-r0.json
std::string validation_report_key(const std::string& prefix, std::int64_t round,
                                  int replica);                            // prefix/validation/v00000001-r0.json
std::string all_snapshots_prefix(const std::string& prefix);               // prefix/snapshot/
std::string snapshots_prefix(const std::string& prefix, WorkerId worker);  // prefix/snapshot/s3-r0/
std::string snapshot_key(const std::string& prefix, std::int64_t iteration, std::int64_t rounds,
                         WorkerId worker);                            // prefix/snapshot/s3-r0/i00000010-v00000001
std::optional<Progress> progress_of_snapshot(std::string_view key);   // the reverse; nullopt: no such key
std::string claims_prefix(const std::string& prefix);                 // prefix/claim/
std::string claim_key(const std::string& prefix, WorkerId worker);    // prefix/claim/s3-r0: which life counts
std::string ledger_key(const std::string& prefix, WorkerId worker);   // prefix/ledger/s3-r0.json
std::string trace_key(const std::string& prefix, WorkerId worker);    // prefix/trace/s3-r0.json, server.json
std::string trained_key(const std::string& prefix, int stage);        // prefix/trained/stage-03.pt
std::string waiting_key(const std::string& prefix, WorkerId worker);  // prefix/waiting/s3-r0.json: for whom it waits

// Returns the prefix of what workers exchange, and of their waiting_key, during validation.
std::string validation_prefix(const std::string& prefix);  // prefix/validation

// Returns whether results are made from the object at `key`: trained weights, reports, traces, the job itself.
bool is_result_key(const std::string& prefix, std::string_view key);

}  // namespace funcpipe
