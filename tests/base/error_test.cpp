#include "base/error.h"

#include <gtest/gtest.h>

#include "base/check.h"

namespace funcpipe {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0)
    return fail(ErrorCode::invalid_input, fmt::format("{} is odd", value), "here", "pass an even one");
  return value / 2;
}

Result<int> quarter(int value) {
  FUNCPIPE_TRY(once, half(value));
  FUNCPIPE_TRY(twice, half(once));
  return twice;
}

Result<> only_even(int value) {
  FUNCPIPE_TRY_VOID(half(value));
  return {};
}

TEST(Error, TryPassesValuesAndErrorsOn) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_TRUE(only_even(2));
  EXPECT_FALSE(only_even(3));
}

TEST(Error, DescribesPlaceMessageAndHint) {
  EXPECT_EQ(describe(quarter(7).error()), "here: 7 is odd\n  hint: pass an even one");
  EXPECT_EQ(describe(Error{ErrorCode::failed, "no more", "", ""}), "no more");
}

TEST(Error, OnlyTheUsersInputExitsWithTwo) {
  EXPECT_EQ(exit_code(Error{ErrorCode::invalid_input, "", "", ""}), 2);
  EXPECT_EQ(exit_code(Error{ErrorCode::timeout, "", "", ""}), 1);
}

TEST(CheckDeathTest, ABrokenInvariantStopsWithItsOperands) {
  EXPECT_DEATH(FUNCPIPE_CHECK(1 + 1 == 3, "left {} right {}", 2, 3), "broken invariant: 1 \\+ 1 == 3: left 2 right 3");
}

}  // namespace
}  // namespace funcpipe
