#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// What is no mistake but should be known before a job starts, a sentence each: rows that are not used, bytes that
// become numbers, targets on a scale that a squared error seldom goes well with. Reads up to 256 MiB of the targets.
std::vector<std::string> remarks(const JobSpec& spec, const Datasets& data);

}  // namespace funcpipe
