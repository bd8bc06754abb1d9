#include "planner/objective.h"

#include <gmock/gmock.h>

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

// Fast and dear, middling, slow and cheap; jobs of 100 iterations with 10 s before them.
const std::vector<Outcome> kOutcomes = {{1, 0.04, 110, 4}, {2, 0.015, 210, 1.5}, {8, 0.01, 810, 1}};

std::size_t chosen(const std::string& text) {
  const auto objective = parse_objective(text);
  EXPECT_TRUE(objective) << text;
  const auto which = choose(kOutcomes, *objective);
  EXPECT_TRUE(which) << text;
  return *which;
}

TEST(Objective, ChoosesWhatItSays) {
  EXPECT_EQ(chosen("time"), 0u);
  EXPECT_EQ(chosen("cost"), 2u);
  EXPECT_EQ(chosen("balanced"), 1u);
  EXPECT_EQ(chosen("1,0"), 2u) << "dollars come first";
  EXPECT_EQ(chosen("0,1"), 0u);
  EXPECT_EQ(chosen("100,1"), 1u) << "5, 3.5 and 9";
  EXPECT_EQ(chosen("deadline=809"), 1u);
  EXPECT_EQ(chosen("deadline=810"), 2u);
  EXPECT_EQ(chosen("deadline=110"), 0u);
  EXPECT_EQ(chosen("budget=1"), 2u);
  EXPECT_EQ(chosen("budget=3.99"), 1u);
  EXPECT_EQ(chosen("budget=1e9"), 0u);
}

TEST(Objective, NamesTheNearestLimitThatCanBeKept) {
  const auto hurried = choose(kOutcomes, *parse_objective("deadline=109.9"));
  ASSERT_FALSE(hurried);
  EXPECT_EQ(exit_code(hurried.error()), 2);
  EXPECT_THAT(hurried.error().hint, HasSubstr("110"));
  const auto poor = choose(kOutcomes, *parse_objective("budget=0.5"));
  ASSERT_FALSE(poor);
  EXPECT_EQ(exit_code(poor.error()), 2);
  EXPECT_THAT(poor.error().message, HasSubstr("$1.00"));
}

// What an error suggests must not fail again.
TEST(Objective, SuggestedLimitsAreMet) {
  for (const double figure : {0.00123456, 0.0999999, 3.333333, 123.4567, 99999.9}) {
    const std::vector<Outcome> one = {{1, 1, figure, figure}};
    for (const char* kind : {"deadline=", "budget="}) {
      const auto refused = choose(one, *parse_objective(fmt::format("{}{}", kind, figure / 2)));
      ASSERT_FALSE(refused);
      const std::string suggested = refused.error().hint.substr(refused.error().hint.rfind(' ') + 1);
      EXPECT_TRUE(choose(one, *parse_objective(kind + suggested))) << figure << ": " << suggested;
      EXPECT_NEAR(std::stod(suggested), figure, 0.011 * figure);
    }
  }
}

TEST(Objective, RefusesWhatItIsNot) {
  for (const char* text : {"", "fast", "deadline", "deadline=", "deadline=-1", "deadline=0", "deadline=1h",
                           "budget=nan", "budget=$3", "1,", ",1", "-1,2", "0,0", "1,2,3", "inf,1"}) {
    const auto objective = parse_objective(text);
    ASSERT_FALSE(objective) << text;
    EXPECT_EQ(exit_code(objective.error()), 2);
    EXPECT_THAT(objective.error().hint, HasSubstr("deadline=SECONDS"));
  }
}

}  // namespace
}  // namespace funcpipe
