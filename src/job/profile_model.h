// Measures a model's layers inside functions of each size: `funcpipe profile`.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "catalog/platform.h"
#include "config/job_config.h"
#include "profile/profile.h"

namespace funcpipe {

struct ProfileSettings {
  ModelSource model;
  std::vector<TensorSpec> inputs;        // dimension 0 is replaced by each micro-batch size; empty: a zoo model's own
  JobConfig::PlatformChoice cloud;       // platform, dilation, endpoints
  std::vector<SizeChoice> sizes;         // to have in the profile; empty: all of the platform's
  std::optional<SizeChoice> scale_from;  // measure this size alone and derive the others; none: see derived_threads
  std::vector<int> micro_batches = {1, 4, 16};
  int threads = 1;  // of one operation, on measured sizes
  // On derived sizes; 0: one per whole vCPU, at least one, and sizes that would have more than one are derived where
  // the platform holds functions to their vCPUs.
  int derived_threads = 0;
  std::string optimizer = "sgd";  // sgd | momentum | adam
  int repeats = 5;
  std::optional<double> vcpu_speed;  // instead of the platform's
  std::filesystem::path folder;      // of the run: what was measured so far, logs of the functions
};

struct ProfileProgress {
  // Once the model is known, before anything is measured; an error ends it. Empty: nothing is asked.
  std::function<Result<>(const ModelDescription& model, const Platform& platform)> may_measure = {};
  std::function<void(const std::string&)> step;  // preparation, as it begins
  std::function<void(int done, int all, const std::string& layer)> measured;
};

// What an earlier run with the same settings measured is taken from `folder`. Errors: invalid_input (the model, its
// inputs, a size the platform lacks, no size that holds a worker), those of the cloud, failed (what the model raises),
// cancelled.
Result<Profile> profile_model(const ProfileSettings& settings, const ProfileProgress& progress, std::stop_token stop);

}  // namespace funcpipe
