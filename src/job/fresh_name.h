#pragma once

#include <string>

#include "config/job_config.h"

namespace funcpipe {

// The job's name or, where results of a former run lie in its folder, the first of "NAME-2", "NAME-3", ... without: no
// run replaces what another has trained. Long names are shortened to what a job's name may have.
std::string fresh_name(const JobConfig::Job& job);

}  // namespace funcpipe
