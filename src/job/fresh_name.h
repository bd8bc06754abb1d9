#pragma once

#include <string>

#include "config/job_config.h"

namespace funcpipe {

// Returns the job's name if its folder has no results of a former run, else the first of "NAME-2", "NAME-3" and so on
// for which that holds. So no run replaces the results of another. Long names are shortened to the length allowed.
std::string fresh_name(const JobConfig::Job& job);

}  // namespace funcpipe
