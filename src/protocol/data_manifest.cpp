#include "protocol/data_manifest.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "protocol/json_fields.h"

namespace funcpipe {
namespace {

using nlohmann::json;

json column_json(const ColumnManifest& column) {
  return {{"dtype", column.row.dtype},
          {"shape", column.row.shape},
          {"rows", column.rows},
          {"block_rows", column.block_rows},
          {"prefix", column.prefix}};
}

Result<ColumnManifest> read_column(const json& source, const std::string& place) {
  ColumnManifest column;
  Fields fields(source, place);
  fields.read("dtype", column.row.dtype)
      .read("rows", column.rows)
      .read("block_rows", column.block_rows)
      .read("prefix", column.prefix);
  const json& shape = fields.member("shape");
  FUNCPIPE_TRY_VOID(fields.done());
  if (!shape.is_array()) return fail(ErrorCode::invalid_input, "shape must be an array", place);
  for (const json& extent : shape) {
    if (!extent.is_number_integer()) return fail(ErrorCode::invalid_input, "shape must hold whole numbers", place);
    column.row.shape.push_back(extent.get<std::int64_t>());
  }
  if (column.rows < 0 || column.block_rows < 0)
    return fail(ErrorCode::invalid_input, "rows and block_rows cannot be negative", place);
  return column;
}

}  // namespace

json to_json(const DatasetManifest& dataset) {
  return {{"input", column_json(dataset.input)}, {"target", column_json(dataset.target)}};
}

Result<DatasetManifest> dataset_manifest_from_json(const json& source, const std::string& place) {
  Fields fields(source, place);
  const json& input = fields.member("input");
  const json& target = fields.member("target");
  FUNCPIPE_TRY_VOID(fields.done());
  DatasetManifest dataset;
  FUNCPIPE_TRY(input_column, read_column(input, place + " input"));
  FUNCPIPE_TRY(target_column, read_column(target, place + " target"));
  dataset.input = std::move(input_column);
  dataset.target = std::move(target_column);
  return dataset;
}

}  // namespace funcpipe
