// How a column is split into blocks in the store. Block b holds the rows from b * block_rows on; its key is block_key
// (config/job_keys.h).
#pragma once

#include <algorithm>
#include <cstdint>

#include "config/data_manifest.h"

namespace funcpipe {

inline std::int64_t block_count(const ColumnManifest& column) {
  return column.rows == 0 ? 0 : (column.rows + column.block_rows - 1) / column.block_rows;
}
inline std::int64_t rows_in_block(const ColumnManifest& column, std::int64_t block) {
  return std::min(column.block_rows, column.rows - block * column.block_rows);
}

}  // namespace funcpipe
