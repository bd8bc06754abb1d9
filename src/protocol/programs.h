// A worker's programs. The client proves those of all workers sound together, once, before anything starts; a worker
// builds its own alone and goes by their fingerprint that they are the ones that were proven.
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
  std::optional<Program> evaluation;  // of jobs that validate; a parameter server takes no part
  StageShape shape;                   // of the worker's stage; of a parameter server's only one
};

// `worker`: one of the plan's.
Programs make_programs(const JobSpec& spec, WorkerId worker);

// 16 hexadecimal digits that differ where anything that is played differs.
std::string fingerprint(const Programs& programs);

// The same, where they are the ones the client has proven: `invocation.programs` is their fingerprint. Error:
// invalid_input: they are not.
Result<Programs> proven_programs(const JobSpec& spec, const WorkerInvocation& invocation);

// Proves the programs of all workers sound together; their fingerprints. Of the validation set the number of rows is
// enough. Errors: failed: they are not sound; invalid_input: more operations than can be proven; cancelled.
Result<std::map<WorkerId, std::string>> prove_programs(const JobSpec& spec, const std::stop_token& stop = {});

}  // namespace funcpipe
