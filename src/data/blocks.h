// How a column lies in the store: block b holds rows [b * block_rows, ...) at prefix + 8 digits of b.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "config/job_spec.h"

namespace funcpipe {

inline std::int64_t block_count(const ColumnManifest& column) {
  return column.rows == 0 ? 0 : (column.rows + column.block_rows - 1) / column.block_rows;
}
inline std::int64_t rows_in_block(const ColumnManifest& column, std::int64_t block) {
  return std::min(column.block_rows, column.rows - block * column.block_rows);
}
inline std::string block_key(const ColumnManifest& column, std::int64_t block) {
  return fmt::format("{}{:08}", column.prefix, block);
}

}  // namespace funcpipe
