// The programs of a worker. Before anything starts, the client proves once that those of all workers are sound
// together. A worker builds only its own and compares its fingerprint with that of the proven ones.
#pragma once

#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "protocol/invocation.h"
#include "protocol/job_spec.h"
#include "schedule/program.h"

namespace funcpipe {

struct Programs {
  Program training;
  std::optional<Program> evaluation;  // only if the job validates; a parameter server has none
  StageShape shape;                   // of the worker's stage; a parameter server has only one
};

// `worker` must be one of the plan's.
Programs make_programs(const JobSpec& spec, WorkerId worker);

// Returns 16 hexadecimal digits. They differ if anything that is played differs.
std::string fingerprint(const Programs& programs);

// Builds the programs and compares them with those the client has proven, whose fingerprint is `invocation.programs`.
// Errors: invalid_input if they differ.
Result<Programs> proven_programs(const JobSpec& spec, const WorkerInvocation& invocation);

// Proves that the programs of all workers are sound together. Returns their fingerprints. Of the validation set only
// the number of rows must be known. Errors: failed if they are not sound, invalid_input if there are too many
// operations to prove it, cancelled.
Result<std::map<WorkerId, std::string>> prove_programs(const JobSpec& spec, const std::stop_token& stop = {});

}  // namespace funcpipe
