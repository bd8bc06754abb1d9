#pragma once

#include <string>
#include <vector>

#include "protocol/job_spec.h"

namespace funcpipe {

// Returns sentences on a model's state for the user before its job starts: which state replicas send each other in
// every iteration because the loss depends on it, and which buffers may be too many for the class's load_state_dict.
std::vector<std::string> state_remarks(const JobSpec& spec);

}  // namespace funcpipe
