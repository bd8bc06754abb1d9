#pragma once

#include <string>
#include <vector>

#include "config/job_spec.h"
#include "data/dataset.h"

namespace funcpipe {

// What is no mistake but should be known before a job starts, a sentence each: rows that are not used, bytes that
// become numbers, targets on a scale that a squared error seldom goes well with. Reads up to 256 MiB of the targets.
std::vector<std::string> remarks(const JobSpec& spec, const Datasets& data);

}  // namespace funcpipe
