#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

namespace funcpipe {
namespace {

TEST(Mix, EveryWordAndItsPlaceMatters) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 8; ++seed)
    for (std::uint64_t a = 0; a < 8; ++a)
      for (std::uint64_t b = 0; b < 8; ++b) seen.insert(mix(seed, {a, b}));
  EXPECT_EQ(seen.size(), 512u);
  EXPECT_NE(mix(1, {0}), mix(1, {0, 0}));
}

TEST(Mix, ValuesAreFixedForEver) {               // checkpoints and data orders depend on them
  EXPECT_EQ(mix(0, {}), 0xe220a8397b1dcdafULL);  // SplitMix64's first output for seed 0
}

TEST(Permutation, IsABijectionForEverySize) {
  for (std::uint64_t size = 1; size <= 300; ++size) {
    Permutation permutation(size, 7 * size);
    std::vector<bool> hit(size);
    for (std::uint64_t i = 0; i < size; ++i) hit[permutation(i)] = true;
    EXPECT_TRUE(std::all_of(hit.begin(), hit.end(), [](bool b) { return b; })) << size;
  }
}

TEST(Permutation, SpreadsEvenly) {
  // Each third of the range receives about a third of each third: 1,000,000 / 9 with a standard deviation near 270.
  constexpr std::uint64_t kSize = 999'999;
  Permutation permutation(kSize, 42);
  int counts[3][3] = {};
  for (std::uint64_t i = 0; i < kSize; ++i) ++counts[i / (kSize / 3)][permutation(i) / (kSize / 3)];
  for (const auto& row : counts)
    for (const int count : row) EXPECT_NEAR(count, 111'111, 2'000);
}

TEST(Permutation, SeedsDiffer) {
  Permutation a(1000, 1), b(1000, 2);
  int same = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) same += a(i) == b(i);
  EXPECT_LT(same, 20);
}

}  // namespace
}  // namespace funcpipe
