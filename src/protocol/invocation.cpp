#include "protocol/invocation.h"

#include <nlohmann/json.hpp>

#include "protocol/json_members.h"

namespace funcpipe {
namespace {

using nlohmann::json;

constexpr auto kInvocation = [](auto& invocation, const auto& visit) {
  visit("job", invocation.job);
  visit("bucket", invocation.bucket);
  visit("prefix", invocation.prefix);
  visit("stage", invocation.worker.stage);
  visit("replica", invocation.worker.replica);
  visit("incarnation", invocation.incarnation);
  visit("programs", invocation.programs);
};

constexpr auto kAnswer = [](auto& answer, const auto& visit) {
  visit("status", answer.status);
  visit("next_iteration", answer.next_iteration);
  visit("progressed", answer.progressed);
  visit("peak_memory", answer.peak_memory);
  visit("error", answer.error);
  visit("passing", answer.passing);
};

}  // namespace

json to_json(const WorkerInvocation& invocation) {
  return write_members(invocation, kInvocation);
}
Result<WorkerInvocation> worker_invocation_from_json(const json& source) {
  return read_members<WorkerInvocation>(source, "invocation payload", kInvocation);
}

json to_json(const WorkerAnswer& answer) {
  return write_members(answer, kAnswer);
}
Result<WorkerAnswer> worker_answer_from_json(const json& source) {
  return read_members<WorkerAnswer>(source, "worker's answer", kAnswer);
}

}  // namespace funcpipe
