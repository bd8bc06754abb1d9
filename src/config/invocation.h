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
  std::int64_t first_iteration = 0;  // If above 0, the worker starts from the snapshot of that iteration.
  std::string programs;              // Fingerprint of the programs that the client has proven (worker/programs.h).
};
struct WorkerAnswer {
  std::string status;  // "done", or "continue": invoke the worker again from next_iteration.
  std::int64_t next_iteration = 0;
  Bytes peak_memory = 0;  // Peak resident memory of the process (VmHWM).
  std::string error;      // describe(error) if the worker failed, else empty.
};
// Error of the readers: invalid_input.
nlohmann::json to_json(const WorkerInvocation& invocation);
Result<WorkerInvocation> worker_invocation_from_json(const nlohmann::json& json);
nlohmann::json to_json(const WorkerAnswer& answer);
Result<WorkerAnswer> worker_answer_from_json(const nlohmann::json& json);

}  // namespace funcpipe
