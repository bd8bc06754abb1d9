#pragma once

#include "comparison/ground.h"
#include "planner/made_profile.h"

namespace funcpipe {

// A made-up model of `layers` layers on the paper's AWS.
inline Ground made_ground(int layers = 12) {
  const Platform platform = *load_platform("aws-lambda-70MBps");
  return {.model = "made",
          .profile_file = "made.json",
          .profile = made_profile(platform, layers),
          .platform = platform,
          .server = *load_parameter_server("c5.9xlarge"),
          .server_name = "c5.9xlarge"};
}

}  // namespace funcpipe
