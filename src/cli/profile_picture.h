#pragma once

#include <string>

#include "profile/profile.h"

namespace funcpipe {

// Where time and memory go, layer after layer: bars as SVG.
std::string profile_picture(const Profile& profile);

}  // namespace funcpipe
