#include <algorithm>

#include "base/check.h"
#include "base/random.h"
#include "data/blocks.h"
#include "data/dataset.h"

namespace funcpipe {
namespace {

constexpr std::uint64_t kBlocks = 0, kRows = 1;  // kinds of permutation, mixed into the seed

}  // namespace

EpochOrder::EpochOrder(const ColumnManifest& column, bool shuffle, Bytes window, std::uint64_t seed, std::int64_t epoch)
    : rows_(column.rows),
      block_rows_(column.block_rows),
      blocks_(block_count(column)),
      short_slot_(blocks_),
      shuffle_(shuffle),
      seed_(mix(seed, {static_cast<std::uint64_t>(epoch)})) {
  const Bytes block_bytes = std::max<Bytes>(1, block_rows_ * column.row.bytes());
  blocks_per_window_ = std::clamp<std::int64_t>(window / block_bytes, 1, std::max<std::int64_t>(1, blocks_));
  if (!shuffle_ || blocks_ == 0) return;
  const Permutation blocks(static_cast<std::uint64_t>(blocks_), mix(seed_, {kBlocks}));
  short_slot_ = 0;
  while (blocks(static_cast<std::uint64_t>(short_slot_)) != static_cast<std::uint64_t>(blocks_ - 1)) ++short_slot_;
}

std::int64_t EpochOrder::rows_before(std::int64_t slot) const {
  const std::int64_t missing = blocks_ * block_rows_ - rows_;  // how many rows the short block lacks
  return slot * block_rows_ - (slot > short_slot_ ? missing : 0);
}

std::int64_t EpochOrder::row(std::int64_t position) const {
  FUNCPIPE_CHECK(position >= 0 && position < rows_, "position {} rows {}", position, rows_);
  if (!shuffle_) return position;

  // The short block moves a window's start forward by less than one block, so this guess is right or one too small.
  std::int64_t window = position / (blocks_per_window_ * block_rows_);
  const auto first_slot = [&](std::int64_t w) { return std::min(w * blocks_per_window_, blocks_); };
  if (position >= rows_before(first_slot(window + 1))) ++window;
  const std::int64_t begin = rows_before(first_slot(window));
  const std::int64_t end = rows_before(first_slot(window + 1));

  const Permutation rows(static_cast<std::uint64_t>(end - begin),
                         mix(seed_, {kRows, static_cast<std::uint64_t>(window)}));
  const std::int64_t shuffled = begin + static_cast<std::int64_t>(rows(static_cast<std::uint64_t>(position - begin)));

  std::int64_t slot = shuffled / block_rows_;
  if (slot < blocks_ - 1 && shuffled >= rows_before(slot + 1)) ++slot;
  const Permutation blocks(static_cast<std::uint64_t>(blocks_), mix(seed_, {kBlocks}));
  const auto block = static_cast<std::int64_t>(blocks(static_cast<std::uint64_t>(slot)));
  return block * block_rows_ + (shuffled - rows_before(slot));
}

const ColumnManifest& order_column(const DatasetManifest& dataset) {
  return dataset.target.row.bytes() > dataset.input.row.bytes() ? dataset.target : dataset.input;
}

}  // namespace funcpipe
