// A model on a platform: what all systems of a comparison plan on.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/platform.h"
#include "planner/planner.h"
#include "planner/rivals/data_parallel.h"
#include "profile/profile.h"

namespace funcpipe {

struct Ground {
  std::string model;         // the stem of its profile's file
  std::string profile_file;  // relative to the folder above platforms/, where it is there
  Profile profile;           // with times for the platform's sizes
  Platform platform;
  ParameterServer server;  // HybridPS's
  std::string server_name;
  bool derived = false;  // none of the platform's sizes was in the profile
  std::uint64_t seed = 1;
  std::int64_t iterations = 1000;  // of a job: start-up is spread over them
  int connections = 4;             // requests of a lane in flight

  // Keeps references to this. By the real bill.
  PlanningTask task(int batch) const;
};

// `model`: the stem of a file in the folder profiles/ beside the platforms folder, or a file's path. `platform`: as
// load_platform has it. Errors: not_found (with the models there are), invalid_input.
Result<Ground> load_ground(const std::string& model, const std::string& platform);

}  // namespace funcpipe
