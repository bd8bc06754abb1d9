// Objects under a job's prefix by which workers and client tell each other how it goes, beside the work itself. Format:
// docs/formats/run-record.md.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

std::string stop_key(const std::string& prefix);                      // prefix/stop: workers end once it is there
std::string waiting_key(const std::string& prefix, WorkerId worker);  // prefix/waiting/s3-r0.json: for whom it waits

// What a worker that waits long for another leaves at waiting_key until it goes on.
struct WaitingWorker {
  WorkerId producer;      // of what it waits for
  std::string operation;  // "receive_activation"
  std::int64_t iteration = 0;
  bool gave_up = false;  // the wait reached its limit
};
nlohmann::json to_json(const WaitingWorker& waiting);
Result<WaitingWorker> waiting_worker_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
