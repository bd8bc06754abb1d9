// Describes a data set in the store: what its readers need to know. Blocks are named by block_key (config/job_keys.h).
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/error.h"
#include "profile/model_description.h"

namespace funcpipe {

// One column of a data set in the store: rows of equal size, in blocks of `block_rows` rows.
struct ColumnManifest {
  TensorSpec row;  // Dtype and shape of one row, without the batch dimension.
  std::int64_t rows = 0;
  std::int64_t block_rows = 0;
  std::string prefix;  // Block b has the key block_key(prefix, b).
};
struct DatasetManifest {
  ColumnManifest input;
  ColumnManifest target;
  std::int64_t rows() const { return input.rows; }
};

nlohmann::json to_json(const DatasetManifest& dataset);
// Error: invalid_input at `place`.
Result<DatasetManifest> dataset_manifest_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
