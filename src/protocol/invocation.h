// The payload that a worker is invoked with, and its answer.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "base/units.h"
#include "plan/plan.h"

namespace funcpipe {

struct WorkerInvocation {
  std::string job;  // JobSpec::id
  std::string bucket, prefix;
  WorkerId worker;
  // 0: the worker's first life, which begins with its stage file. Else a later life, which begins with the newest
  // snapshot there is; of two lives the one with the larger number counts.
  std::int64_t incarnation = 0;
  std::string programs;  // fingerprint of those the client has proven (protocol/programs.h)
};
struct WorkerAnswer {
  std::string status;  // "done" | "continue" (invoke again) | "failed"
  std::int64_t next_iteration = 0;
  bool progressed = false;  // an iteration or a round of validation was done since the life began
  Bytes peak_memory = 0;    // VmHWM
  std::string error;        // describe(error) when the worker failed
  bool passing = false;     // the error may not come again: another try is worthwhile
};
// Error of the readers: invalid_input.
nlohmann::json to_json(const WorkerInvocation& invocation);
Result<WorkerInvocation> worker_invocation_from_json(const nlohmann::json& json);
nlohmann::json to_json(const WorkerAnswer& answer);
Result<WorkerAnswer> worker_answer_from_json(const nlohmann::json& json);

}  // namespace funcpipe
