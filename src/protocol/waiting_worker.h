// What a worker that waits long for another leaves at waiting_key (protocol/job_keys.h) until it goes on. Format:
// docs/formats/run-record.md.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "plan/plan.h"

namespace funcpipe {

struct WaitingWorker {
  WorkerId producer;      // The worker that produces what it waits for.
  std::string operation;  // "receive_activation"
  std::int64_t iteration = 0;
  bool gave_up = false;  // The wait has reached its limit.
};
nlohmann::json to_json(const WaitingWorker& waiting);
Result<WaitingWorker> waiting_worker_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
