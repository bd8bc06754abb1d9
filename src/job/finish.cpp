#include "job/finish.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/files.h"
#include "protocol/job_keys.h"
#include "schedule/plan_file.h"
#include "timeline/chrome_trace.h"

namespace funcpipe {
namespace fs = std::filesystem;

Result<bool> is_trained(Store& store, const JobSpec& spec, const std::string& prefix) {
  for (int k = 0; k < spec.plan.stage_count(); ++k) {
    FUNCPIPE_TRY(size, store.size(trained_key(prefix, k)));
    if (!size) return false;
  }
  return true;
}

Result<bool> has_snapshots(Store& store, const std::string& prefix) {
  FUNCPIPE_TRY(found, store.list(all_snapshots_prefix(prefix)));
  return !found.empty();
}

Result<std::int64_t> latest_claim(Store& store, const std::string& prefix) {
  FUNCPIPE_TRY(claims, store.list(claims_prefix(prefix)));
  std::int64_t latest = 0;
  for (const ListedObject& claim : claims) {
    FUNCPIPE_TRY(text, store.get_text(claim.key));
    std::int64_t number = 0;
    const std::string digits = text.value_or("");
    if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec == std::errc())
      latest = std::max(latest, number);
  }
  return latest;
}

Result<> collect_model(Store& store, const JobSpec& spec, const std::string& prefix, const WorkerTool& worker,
                       const fs::path& folder, std::stop_token stop) {
  std::vector<fs::path> stages;
  const fs::path stage_folder = folder / "stages";
  for (int k = 0; k < spec.plan.stage_count(); ++k) {
    const std::string key = trained_key(prefix, k);
    FUNCPIPE_TRY(archive, store.get_text(key));
    if (!archive) return fail(ErrorCode::not_found, fmt::format("stage {} left no trained weights", k), key);
    stages.push_back(stage_folder / fmt::format("stage-{:02}.pt", k));
    FUNCPIPE_TRY_VOID(write_file(stages.back(), *archive));
  }
  return worker.assemble(spec.config.model_source(), spec.model.inputs, stages, folder, stop);
}

Result<> collect_trace(Store& store, const JobSpec& spec, const std::string& prefix, const fs::path& folder) {
  if (spec.config.metrics.trace_iterations == 0) return {};
  nlohmann::json events = nlohmann::json::array();
  for (const WorkerId worker : spec.plan.workers()) {
    const std::string key = trace_key(prefix, worker);
    FUNCPIPE_TRY(text, store.get_text(key));
    if (!text) continue;
    FUNCPIPE_TRY(trace, parse_json(*text, key));
    if (!trace.is_object() || !trace.contains("traceEvents") || !trace["traceEvents"].is_array())
      return fail(ErrorCode::corrupt, "the worker's trace has no list of events", key);
    for (auto& event : trace["traceEvents"]) events.push_back(std::move(event));
  }
  return write_file(folder / "trace.json",
                    nlohmann::json{{"traceEvents", std::move(events)}, {"version", kTraceVersion}}.dump() + "\n");
}

Result<> write_records(const JobSpec& spec, const History& history, const fs::path& folder) {
  FUNCPIPE_TRY_VOID(write_file(folder / "history.jsonl", history.iterations_jsonl()));
  FUNCPIPE_TRY_VOID(write_file(folder / "validation.json", history.validation_json()));
  FUNCPIPE_TRY_VOID(write_file(folder / "plan.json", to_json(spec.plan).dump(2) + "\n"));
  return write_file(folder / "job.json", to_json(spec).dump(2) + "\n");
}

Result<> write_bill(const Bill& bill, const Prices& prices, bool whole, const fs::path& folder) {
  nlohmann::json json = to_json(bill, prices);
  json["includes_requests_of_functions"] = whole;
  return write_file(folder / "bill.json", json.dump(2) + "\n");
}

}  // namespace funcpipe
