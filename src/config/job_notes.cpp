#include "config/job_notes.h"

#include <nlohmann/json.hpp>

#include "config/json_fields.h"

namespace funcpipe {

std::string stop_key(const std::string& prefix) {
  return prefix + "/stop";
}

std::string waiting_key(const std::string& prefix, WorkerId worker) {
  if (worker == kParameterServer) return prefix + "/waiting/server.json";
  return fmt::format("{}/waiting/s{}-r{}.json", prefix, worker.stage, worker.replica);
}

nlohmann::json to_json(const WaitingWorker& waiting) {
  return {{"producer_stage", waiting.producer.stage},
          {"producer_replica", waiting.producer.replica},
          {"operation", waiting.operation},
          {"iteration", waiting.iteration},
          {"gave_up", waiting.gave_up}};
}

Result<WaitingWorker> waiting_worker_from_json(const nlohmann::json& json, const std::string& place) {
  WaitingWorker waiting;
  Fields fields(json, place);
  fields.read("producer_stage", waiting.producer.stage)
      .read("producer_replica", waiting.producer.replica)
      .read("operation", waiting.operation)
      .read("iteration", waiting.iteration)
      .read("gave_up", waiting.gave_up);
  FUNCPIPE_TRY_VOID(fields.done());
  return waiting;
}

}  // namespace funcpipe
