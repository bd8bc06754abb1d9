// Data sets as columns, row after row. The client reads them from files and publishes them to the store in blocks;
// workers read rows of them back.
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

// A whole column, in memory or mapped from a file. All rows have the same size.
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
  Dataset validation;  // rows == 0: there is none
};

// Reads the files that the job file's [data] names. Errors: not_found, or invalid_input if a file is not as expected
// or, say, input and target have different lengths. The error names the file, what was expected and what to do.
Result<Datasets> load_datasets(const JobConfig::Data& data);

// Uploads in blocks of about 1 MiB under `prefix` (one of protocol/job_keys.h); `progress(done, total)` in bytes,
// may be empty.
Result<DatasetManifest> publish(const Dataset& dataset, Store& store, const std::string& prefix,
                                const std::function<void(Bytes, Bytes)>& progress = {});

// Says which row of the data set is sample `position` of epoch `epoch`; it depends on (seed, epoch, position) alone.
// First the blocks are permuted, then the rows within each window, that is, as many blocks as fit into `window` bytes.
// So a reader needs only one window in memory. Without shuffle the order is that of the rows. Input and target share
// one order, that of order_column().
class EpochOrder {
 public:
  EpochOrder(const ColumnManifest& column, bool shuffle, Bytes window, std::uint64_t seed, std::int64_t epoch);
  std::int64_t row(std::int64_t position) const;  // 0 <= position < rows

 private:
  std::int64_t rows_before(std::int64_t slot) const;  // how many rows the blocks in slots [0, slot) have

  std::int64_t rows_, block_rows_, blocks_, blocks_per_window_;
  std::int64_t short_slot_;  // where the permutation puts the last block, which may have fewer rows
  bool shuffle_;
  std::uint64_t seed_;
};

// Returns the column whose rows are larger. The other column's blocks of the same window then fit into memory, too.
const ColumnManifest& order_column(const DatasetManifest& dataset);

// Reads rows of one column. It keeps up to `cache` bytes of blocks in memory and drops the least recently used.
// Thread-safe.
class ColumnReader {
 public:
  ColumnReader(Store& store, ColumnManifest column, Bytes cache);
  ~ColumnReader();
  // Copies rows[i] to destination + i * (bytes of a row). Errors: not_found or corrupt for a block of the data set,
  // cancelled, or the store's.
  Result<> read(const std::vector<std::int64_t>& rows, MutableBytes destination, std::stop_token stop = {});
  const ColumnManifest& manifest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
