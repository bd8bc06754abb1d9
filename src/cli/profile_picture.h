#pragma once

#include <string>

#include "profile/profile.h"

namespace funcpipe {

// Draws an SVG of bars: the time and memory of each layer.
std::string profile_picture(const Profile& profile);

}  // namespace funcpipe
