#include <gmock/gmock.h>

#include <algorithm>
#include <set>
#include <vector>

#include "data/dataset.h"
#include "protocol/data_manifest.h"

namespace funcpipe {
namespace {

ColumnManifest column(std::int64_t rows, std::int64_t block_rows) {
  return {{"uint8", {10}}, rows, block_rows, "p/"};
}

std::vector<std::int64_t> rows_of(const EpochOrder& order, std::int64_t rows) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < rows; ++i) result.push_back(order.row(i));
  return result;
}

TEST(EpochOrder, IsABijectionForEverySizeAndWindow) {
  for (const std::int64_t rows : {1, 2, 3, 7, 16, 17, 63, 100, 255, 1000})
    for (const std::int64_t block_rows : {1, 2, 3, 7, 16, 100, 2000})
      for (const Bytes window : {1, 25, 170, 500, 1 << 20})
        for (const std::int64_t epoch : {0, 1, 5}) {
          auto order = rows_of(EpochOrder(column(rows, block_rows), true, window, 9, epoch), rows);
          std::sort(order.begin(), order.end());
          for (std::int64_t i = 0; i < rows; ++i)
            ASSERT_EQ(order[static_cast<std::size_t>(i)], i)
                << rows << " rows, blocks of " << block_rows << ", window " << window;
        }
}

TEST(EpochOrder, DependsOnSeedAndEpochAlone) {
  const auto order = [](std::uint64_t seed, std::int64_t epoch) {
    return rows_of(EpochOrder(column(500, 16), true, 800, seed, epoch), 500);
  };
  EXPECT_EQ(order(1, 2), order(1, 2));
  EXPECT_NE(order(1, 2), order(1, 3));
  EXPECT_NE(order(1, 2), order(2, 2));
}

TEST(EpochOrder, WithoutShuffleIsTheIdentity) {
  const auto order = rows_of(EpochOrder(column(50, 7), false, 100, 1, 3), 50);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(EpochOrder, NeedsOnlyOneWindowOfBlocksAtATime) {
  constexpr std::int64_t kRows = 1000, kBlockRows = 10, kBlocksPerWindow = 5;
  const EpochOrder order(column(kRows, kBlockRows), true, kBlocksPerWindow * kBlockRows * 10, 4, 0);
  std::set<std::int64_t> all;
  for (std::int64_t start = 0; start < kRows; start += kBlocksPerWindow * kBlockRows) {
    std::set<std::int64_t> blocks;
    for (std::int64_t i = 0; i < kBlocksPerWindow * kBlockRows; ++i) blocks.insert(order.row(start + i) / kBlockRows);
    EXPECT_EQ(blocks.size(), kBlocksPerWindow);
    all.insert(blocks.begin(), blocks.end());
  }
  EXPECT_EQ(all.size(), 100u);
}

TEST(EpochOrder, MovesEveryRowOverTheEpochs) {
  // A short last block must not stay at the end: there its rows would be dropped with the epoch's rest every time.
  int at_the_end = 0;
  for (std::int64_t epoch = 0; epoch < 64; ++epoch)
    at_the_end += EpochOrder(column(105, 10), true, 20 * 10, 3, epoch).row(104) / 10 == 10;
  EXPECT_LT(at_the_end, 32);
}

TEST(EpochOrder, FollowsTheWiderColumn) {
  DatasetManifest set{{{"float32", {100}}, 10, 2, "i/"}, {{"int64", {}}, 10, 10, "t/"}};
  EXPECT_EQ(&order_column(set), &set.input);
  set.target.row.shape = {1000};
  EXPECT_EQ(&order_column(set), &set.target);
}

}  // namespace
}  // namespace funcpipe
