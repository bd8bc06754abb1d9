// A worker's programs, proven sound together with those of all others.
#pragma once

#include <optional>

#include "base/error.h"
#include "config/job_spec.h"
#include "schedule/program.h"

namespace funcpipe {

struct Programs {
  Program training;
  std::optional<Program> evaluation;  // of jobs that validate; a parameter server takes no part
  StageShape shape;                   // of the worker's stage; of a parameter server's only one
};

// `worker`: one of the plan's. Error: failed: they are not sound.
Result<Programs> make_programs(const JobSpec& spec, WorkerId worker);

// The plan whose global batch is the validation set.
Plan evaluation_plan(const JobSpec& spec);

}  // namespace funcpipe
