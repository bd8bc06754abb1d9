#pragma once

#include <string>

#include "profile/profile.h"

namespace funcpipe {

// What `profile` prints: the function sizes with their totals, and the layers that take the most time and memory.
std::string profile_report(const Profile& profile, int width);

// The profile as a file: JSON with one layer a line.
std::string profile_text(const Profile& profile);

}  // namespace funcpipe
