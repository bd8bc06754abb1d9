#include "protocol/waiting_worker.h"

#include <nlohmann/json.hpp>

#include "protocol/json_members.h"

namespace funcpipe {
namespace {

constexpr auto kWaiting = [](auto& waiting, const auto& visit) {
  visit("producer_stage", waiting.producer.stage);
  visit("producer_replica", waiting.producer.replica);
  visit("operation", waiting.operation);
  visit("iteration", waiting.iteration);
  visit("gave_up", waiting.gave_up);
};

}  // namespace

nlohmann::json to_json(const WaitingWorker& waiting) {
  return write_members(waiting, kWaiting);
}

Result<WaitingWorker> waiting_worker_from_json(const nlohmann::json& json, const std::string& place) {
  return read_members<WaitingWorker>(json, place, kWaiting);
}

}  // namespace funcpipe
