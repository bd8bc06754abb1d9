// A model on a platform, for which all systems of a comparison plan.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/platform.h"
#include "planner/planner.h"
#include "planner/rivals/data_parallel.h"
#include "profile/profile.h"

namespace funcpipe {

struct Ground {
  std::string model;         // The stem of its profile's file.
  std::string profile_file;  // Relative to the folder above platforms/ if the file is in it.
  Profile profile;           // Adapted to the platform.
  Platform platform;
  ParameterServer server;  // The server of HybridPS.
  std::string server_name;
  bool derived = false;  // The profile had none of the platform's sizes, so all were derived.
  std::uint64_t seed = 1;
  std::int64_t iterations = 1000;  // Iterations of a job; the cost of start-up is spread over them.
  int connections = 4;             // Requests that a transfer lane has in flight.

  // Returns the planning task for a global batch, with the cost model CostModel::bill. It keeps references to this.
  PlanningTask task(int batch) const;
};

// Loads a ground. `model` is the stem of a file in the folder profiles/ beside the platforms folder, or the path of a
// file; `platform` is as for load_platform. Errors: not_found (the hint lists the models there are), invalid_input.
Result<Ground> load_ground(const std::string& model, const std::string& platform);

}  // namespace funcpipe
