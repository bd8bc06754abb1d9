// Data sets as row-major columns: read from files by the client, published to the store in blocks, read back by rows.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "protocol/data_manifest.h"
#include "store/store.h"

namespace funcpipe {

// A whole column in memory (or mapped); rows of equal size.
struct Column {
  TensorSpec row;
  std::int64_t rows = 0;
  std::shared_ptr<const std::byte> bytes;  // rows * row.bytes()
};
struct Dataset {
  Column input;
  Column target;
};
struct Datasets {
  Dataset train;
  Dataset validation;  // rows == 0: none
};

// Reads what [data] names. Errors: not_found, invalid_input (file, what was expected, what to do), e.g. input and
// target of different length.
Result<Datasets> load_datasets(const JobConfig::Data& data);

// Uploads in blocks of about 1 MiB under `prefix` (one of protocol/job_keys.h); `progress(done, total)` in bytes,
// may be empty.
Result<DatasetManifest> publish(const Dataset& dataset, Store& store, const std::string& prefix,
                                const std::function<void(Bytes, Bytes)>& progress = {});

// Which row of the data set is sample `position` of epoch `epoch`: a function of (seed, epoch, position) alone.
// Blocks are permuted, then rows inside windows of as many blocks as fit `window` bytes, so a reader needs only one
// window in memory. Without shuffle: the identity. Input and target share one order: that of order_column().
class EpochOrder {
 public:
  EpochOrder(const ColumnManifest& column, bool shuffle, Bytes window, std::uint64_t seed, std::int64_t epoch);
  std::int64_t row(std::int64_t position) const;  // 0 <= position < rows

 private:
  std::int64_t rows_before(std::int64_t slot) const;  // in the blocks of slots [0, slot)

  std::int64_t rows_, block_rows_, blocks_, blocks_per_window_;
  std::int64_t short_slot_;  // where the permutation of blocks puts the last block, which may be short
  bool shuffle_;
  std::uint64_t seed_;
};

// The column of wider rows: a window of its blocks bounds the other column's too.
const ColumnManifest& order_column(const DatasetManifest& dataset);

// Reads rows of one column, keeping blocks in memory up to `cache` bytes (least recently used out). Thread-safe.
class ColumnReader {
 public:
  ColumnReader(Store& store, ColumnManifest column, Bytes cache);
  ~ColumnReader();
  // Copies rows[i] to destination + i * row bytes.
  Result<> read(const std::vector<std::int64_t>& rows, MutableBytes destination, std::stop_token stop = {});
  const ColumnManifest& manifest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
