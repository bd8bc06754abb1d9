// Measures a model's layers in functions of each size: `funcpipe profile`.
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
  std::vector<TensorSpec> inputs;        // each micro-batch size replaces dimension 0; empty: a zoo model's own inputs
  JobConfig::PlatformChoice cloud;       // platform, dilation, endpoints
  std::vector<SizeChoice> sizes;         // the sizes the profile is to have; empty: all of the platform's
  std::optional<SizeChoice> scale_from;  // measure this size only and derive the others; nullopt: see derived_threads
  std::vector<int> micro_batches = {1, 4, 16};
  int threads = 1;  // threads of one operation on measured sizes
  // Threads on derived sizes. 0: one for each whole vCPU, at least one. Then sizes with more than one are derived, if
  // the platform holds functions to their vCPUs.
  int derived_threads = 0;
  std::string optimizer = "sgd";  // sgd, momentum or adam
  int repeats = 5;
  std::optional<double> vcpu_speed;  // replaces the platform's
  std::filesystem::path folder;      // the run's folder: results so far, and logs of the functions
};

struct ProfileProgress {
  // Called once the model is known, before anything is measured. An error ends the run. If empty, it is not called.
  std::function<Result<>(const ModelDescription& model, const Platform& platform)> may_measure = {};
  std::function<void(const std::string&)> step;  // preparation, as it begins
  std::function<void(int done, int all, const std::string& layer)> measured;
};

// Takes from `folder` what an earlier run with the same settings has measured. Errors: invalid_input for the model, its
// inputs, a size that the platform lacks, or if no size can hold a worker; those of the cloud; failed for what the
// model raises; cancelled.
Result<Profile> profile_model(const ProfileSettings& settings, const ProfileProgress& progress, std::stop_token stop);

}  // namespace funcpipe
