#pragma once

#include <string>

#include "profile/profile.h"

namespace funcpipe {

// Returns what `profile` prints: the function sizes with their totals, and the layers that take the most time and
// memory.
std::string profile_report(const Profile& profile, int width);

}  // namespace funcpipe
