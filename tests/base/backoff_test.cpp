#include "base/backoff.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

constexpr std::uint64_t kLongest = ~std::uint64_t{0};

TEST(Repeats, PausesGrowToTheLongest) {
  Repeats repeats(RetryPolicy{});
  Seconds before = 0;
  for (int count = 1; count < 10; ++count) {
    const auto pause = repeats.pause_after({.count = count, .limit = 60, .random = kLongest});
    ASSERT_TRUE(pause);
    EXPECT_GE(*pause, before);
    before = *pause;
  }
  EXPECT_NEAR(before, RetryPolicy{}.longest_delay, 1e-6);
}

TEST(Repeats, EndWithTheirNumberOrTheirTime) {
  Repeats repeats(RetryPolicy{.tries = 3});
  EXPECT_TRUE(repeats.pause_after({.count = 2, .limit = 60}));
  EXPECT_FALSE(repeats.pause_after({.count = 3, .limit = 60}));
  EXPECT_TRUE(repeats.pause_after({.count = 3, .limit = 60, .any_number = true}));
  EXPECT_FALSE(repeats.pause_after({.count = 1, .elapsed = 60, .limit = 60, .random = kLongest}));
  EXPECT_FALSE(repeats.pause_after({.count = 1, .elapsed = 55, .limit = 60, .asked_pause = 10}));
}

TEST(Repeats, EachTakesOneOfTheBudgetAndTenSuccessesGiveOneBack) {
  Repeats repeats(RetryPolicy{.budget = 2});
  EXPECT_TRUE(repeats.pause_after({.limit = 60}));
  EXPECT_TRUE(repeats.pause_after({.limit = 60}));
  EXPECT_FALSE(repeats.pause_after({.limit = 60}));
  for (int i = 0; i < 9; ++i) repeats.succeeded();
  EXPECT_FALSE(repeats.pause_after({.limit = 60}));
  repeats.succeeded();
  EXPECT_TRUE(repeats.pause_after({.limit = 60}));
  for (int i = 0; i < 1000; ++i) repeats.succeeded();
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(repeats.pause_after({.limit = 60}));
  EXPECT_FALSE(repeats.pause_after({.limit = 60})) << "no more than the budget";
}

}  // namespace
}  // namespace funcpipe
