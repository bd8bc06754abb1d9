#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "data/blocks.h"
#include "data/dataset.h"
#include "protocol/job_keys.h"

namespace funcpipe {
namespace {

constexpr Bytes kBlockBytes = kMiB;
constexpr int kUploads = 8;  // uploads at the same time

ColumnManifest manifest_of(const Column& column, std::string prefix) {
  const Bytes row_bytes = std::max<Bytes>(1, column.row.bytes());
  return {column.row, column.rows,
          std::clamp<std::int64_t>(kBlockBytes / row_bytes, 1, std::max<std::int64_t>(1, column.rows)),
          std::move(prefix)};
}

struct Piece {
  std::string key;
  ConstBytes bytes;
};

void cut_into(std::vector<Piece>& pieces, const Column& column, const ColumnManifest& manifest) {
  const Bytes row_bytes = column.row.bytes();
  for (std::int64_t b = 0; b < block_count(manifest); ++b) {
    const std::int64_t first = b * manifest.block_rows;
    pieces.push_back(
        {block_key(manifest.prefix, b),
         {column.bytes.get() + first * row_bytes, static_cast<std::size_t>(rows_in_block(manifest, b) * row_bytes)}});
  }
}

}  // namespace

Result<DatasetManifest> publish(const Dataset& dataset, Store& store, const std::string& prefix,
                                const std::function<void(Bytes, Bytes)>& progress) {
  if (dataset.input.rows != dataset.target.rows)
    return fail(ErrorCode::invalid_input,
                fmt::format("{} rows of input but {} of target", dataset.input.rows, dataset.target.rows));
  const DatasetManifest manifest{manifest_of(dataset.input, input_column_prefix(prefix)),
                                 manifest_of(dataset.target, target_column_prefix(prefix))};
  std::vector<Piece> pieces;
  cut_into(pieces, dataset.input, manifest.input);
  cut_into(pieces, dataset.target, manifest.target);
  Bytes total = 0;
  for (const Piece& piece : pieces) total += static_cast<Bytes>(piece.bytes.size());

  std::atomic<std::size_t> next = 0;
  std::mutex mutex;  // guards done, error and progress
  Bytes done = 0;
  std::optional<Error> error;
  const auto upload = [&] {
    for (std::size_t i = next++; i < pieces.size(); i = next++) {
      const auto outcome = store.put(pieces[i].key, std::span(&pieces[i].bytes, 1));
      const std::lock_guard lock(mutex);
      if (!outcome) {
        if (!error) error = outcome.error();
        next = pieces.size();
        return;
      }
      done += static_cast<Bytes>(pieces[i].bytes.size());
      if (progress) progress(done, total);
    }
  };
  {
    std::vector<std::jthread> uploads;
    for (std::size_t i = 0; i < std::min<std::size_t>(kUploads, pieces.size()); ++i) uploads.emplace_back(upload);
  }
  if (error) return tl::unexpected(std::move(*error));
  return manifest;
}

}  // namespace funcpipe
