#pragma once

#include <string>
#include <vector>

#include "protocol/job_spec.h"

namespace funcpipe {

// What the user should know of a model's state before its job starts, a sentence each: what replicas send each other
// every iteration because the loss depends on it, and buffers that may be too many for the class's load_state_dict.
std::vector<std::string> state_remarks(const JobSpec& spec);

}  // namespace funcpipe
