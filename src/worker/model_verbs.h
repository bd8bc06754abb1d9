// What funcpipe asks of funcpipe-worker, which alone can open a model.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

struct ModelChoice {
  std::string source;
  std::vector<TensorSpec> inputs;
  std::uint64_t seed = 1;
};

Result<nlohmann::json> describe_model(const ModelChoice& model);

// Writes folder/stage-00.pt, ... of the plan's stages; answers with their paths.
Result<nlohmann::json> cut_model(const ModelChoice& model, const std::filesystem::path& plan_file,
                                 const std::filesystem::path& folder);

// Puts the stage files into the whole model and writes folder/model.pt (torch.jit.load) and folder/state_dict.pt
// (torch.load); answers with their paths.
Result<nlohmann::json> assemble_model(const ModelChoice& model, const std::vector<std::filesystem::path>& stages,
                                      const std::filesystem::path& folder);

}  // namespace funcpipe
