// What remains to be done once the workers are done.
#pragma once

#include <cstdint>
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

// True if the trained weights of every stage are in the store. The training is then finished, whatever fails later.
Result<bool> is_trained(Store& store, const JobSpec& spec, const std::string& prefix);

// Whether some worker has saved a snapshot: an unfinished training is then more than its beginning.
Result<bool> has_snapshots(Store& store, const std::string& prefix);

// The largest number of a worker's life that has claimed a worker (docs/formats/ledger.md); 0: none has.
Result<std::int64_t> latest_claim(Store& store, const std::string& prefix);

// Fetches the trained stages and assembles model.pt and state_dict.pt in `folder`.
Result<> collect_model(Store& store, const JobSpec& spec, const std::string& prefix, const WorkerTool& worker,
                       const std::filesystem::path& folder, std::stop_token stop);

// Joins the workers' traces in trace.json, if metrics.trace_iterations asks for it (docs/formats/trace.md).
Result<> collect_trace(Store& store, const JobSpec& spec, const std::string& prefix,
                       const std::filesystem::path& folder);

// Writes history.jsonl, validation.json, plan.json and job.json.
Result<> write_records(const JobSpec& spec, const History& history, const std::filesystem::path& folder);

// Writes bill.json.
Result<> write_bill(const Bill& bill, const Prices& prices, bool whole, const std::filesystem::path& folder);

}  // namespace funcpipe
