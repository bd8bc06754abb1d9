#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "protocol/job_spec.h"

namespace funcpipe {

// Returns sentences on what is no mistake but should be known before a job starts: rows that are not used, bytes that
// become numbers, targets of a scale that seldom suits a squared error. Reads up to 256 MiB of the targets.
std::vector<std::string> remarks(const JobSpec& spec, const Datasets& data);

}  // namespace funcpipe
