// What funcpipe asks of funcpipe-worker, which alone can open a model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "profile/model_description.h"
#include "worker/trial.h"

namespace funcpipe {

struct ModelChoice {
  std::string source;
  std::string output;  // JobConfig::Model::output
  std::vector<TensorSpec> inputs;
  std::uint64_t seed = 1;
  std::filesystem::path rows;  // of the data set (worker/trial.h); empty: inputs are invented
};

Result<nlohmann::json> describe_model(const ModelChoice& model);

// Describes the model on the first of `choices` of inputs that it takes, all of them made of the rows. Answers with
// {"model": the description, "choice": which it was, "refusal": what the model said of the first if it was not that,
// "numerics": numerics() of this program}.
Result<nlohmann::json> describe_model_on(const ModelChoice& model, const std::vector<std::vector<TensorSpec>>& choices);

// What try_model (worker/trial.h) answers.
Result<nlohmann::json> try_model(const ModelChoice& model, const JobConfig::Model& settings, const TrialSizes& sizes);

// Writes folder/stage-00.pt, ... of the plan's stages; answers with their paths.
Result<nlohmann::json> cut_model(const ModelChoice& model, const std::filesystem::path& plan_file,
                                 const std::filesystem::path& folder);

// Puts the stage files into the whole model and writes folder/model.pt (torch.jit.load) and folder/state_dict.pt
// (torch.load); answers with their paths.
Result<nlohmann::json> assemble_model(const ModelChoice& model, const std::vector<std::filesystem::path>& stages,
                                      const std::filesystem::path& folder);

}  // namespace funcpipe
