// What funcpipe asks of funcpipe-worker, because only that program can open a model. Answers are JSON.
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
  std::string output;  // as JobConfig::Model::output
  std::vector<TensorSpec> inputs;
  std::uint64_t seed = 1;
  std::filesystem::path rows;  // a file of rows of the data set (worker/trial.h); empty: inputs are invented
};

Result<nlohmann::json> describe_model(const ModelChoice& model);

// Describes the model on the first of `choices` of inputs that it accepts, made of rows of the data. Answers with
// {"model": the description, "choice": its index, "refusal": what the model said of the first choice if it refused it,
// "numerics": numerics() of this program}.
Result<nlohmann::json> describe_model_on(const ModelChoice& model, const std::vector<std::vector<TensorSpec>>& choices);

// Answers as try_model in worker/trial.h does.
Result<nlohmann::json> try_model(const ModelChoice& model, const JobConfig::Model& settings, const TrialSizes& sizes);

// Writes the stage files of the plan, folder/stage-00.pt and so on. Answers with their paths.
Result<nlohmann::json> cut_model(const ModelChoice& model, const std::filesystem::path& plan_file,
                                 const std::filesystem::path& folder);

// Puts the trained stages into the whole model. Writes folder/model.pt (for torch.jit.load) and folder/state_dict.pt
// (for torch.load). Answers with their paths.
Result<nlohmann::json> assemble_model(const ModelChoice& model, const std::vector<std::filesystem::path>& stages,
                                      const std::filesystem::path& folder);

}  // namespace funcpipe
