// What is left to do once the workers are done.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"
#include "job/history.h"
#include "job/worker_tool.h"
#include "protocol/job_spec.h"
#include "store/store.h"

namespace funcpipe {

// Whether every stage's trained weights are in the store: the training is then finished, whatever happens.
Result<bool> is_trained(Store& store, const JobSpec& spec, const std::string& prefix);

// Whether some worker has saved a snapshot: an unfinished training is then more than its beginning.
Result<bool> has_snapshots(Store& store, const std::string& prefix);

// Fetches the trained stages and assembles model.pt and state_dict.pt in `folder`.
Result<> collect_model(Store& store, const JobSpec& spec, const std::string& prefix, const WorkerTool& worker,
                       const std::filesystem::path& folder, std::stop_token stop);

// trace.json, if metrics.trace_iterations asks for it: the workers' traces in one (docs/formats/trace.md).
Result<> collect_trace(Store& store, const JobSpec& spec, const std::string& prefix,
                       const std::filesystem::path& folder);

// history.jsonl, validation.json, plan.json, job.json.
Result<> write_records(const JobSpec& spec, const History& history, const std::filesystem::path& folder);

// bill.json.
Result<> write_bill(const Bill& bill, const Prices& prices, bool whole, const std::filesystem::path& folder);

}  // namespace funcpipe
