#include "schedule/life_course.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <vector>

namespace funcpipe {
namespace {

using Kind = LifeStep::Kind;
constexpr Seconds kForever = std::numeric_limits<double>::infinity();

// Does what it says; each iteration takes `iteration` seconds.
std::vector<std::pair<Kind, std::int64_t>> all_steps(LifeCourse& course, Seconds iteration, Seconds now = 0) {
  std::vector<std::pair<Kind, std::int64_t>> steps;
  while (steps.size() < 1000) {
    const LifeStep step = course.next(now);
    steps.emplace_back(step.kind, step.end);
    if (step.kind == Kind::hand_over || step.kind == Kind::finish) break;
    if (step.kind == Kind::validate) course.validated();
    if (step.kind == Kind::save) course.saved(0);
    if (step.kind != Kind::play) continue;
    now += iteration * static_cast<double>(step.end - course.iteration());
    course.span().iteration_took(iteration);
    course.played(step.end);
  }
  return steps;
}

TEST(LifeCourse, PlaysAllAtOnceWhereNothingEndsIt) {
  const LifePlan plan{.iterations = 7};
  LifeCourse course(plan, LifeSpan(0, kForever, {}));
  EXPECT_EQ(all_steps(course, 1), (std::vector<std::pair<Kind, std::int64_t>>{{Kind::play, 7}, {Kind::finish, 7}}));
}

TEST(LifeCourse, ValidatesAndSavesBetweenIterations) {
  const LifePlan plan{.iterations = 10, .checkpoint_interval = 4, .validation = [](std::int64_t round) {
                        return round < 2 ? std::optional<std::int64_t>(5 * (round + 1)) : std::nullopt;
                      }};
  LifeCourse course(plan, LifeSpan(0, kForever, {}));
  EXPECT_EQ(all_steps(course, 1), (std::vector<std::pair<Kind, std::int64_t>>{{Kind::play, 4},
                                                                              {Kind::save, 4},
                                                                              {Kind::play, 5},
                                                                              {Kind::validate, 5},
                                                                              {Kind::play, 8},
                                                                              {Kind::save, 8},
                                                                              {Kind::play, 10},
                                                                              {Kind::validate, 10},
                                                                              {Kind::finish, 10}}));
}

TEST(LifeCourse, HandsOverBeforeItsEndAndGoesOnInTheNextLife) {
  const LifePlan plan{.iterations = 100};
  std::int64_t reached = 0;
  int lives = 0;
  for (; lives < 100; ++lives) {
    LifeCourse course(plan, LifeSpan(0, 40, {.hand_over = {.save = 2, .load = 2}, .iteration = 1}));
    course.resume(reached, 0);
    const auto steps = all_steps(course, 1);
    EXPECT_GT(course.iteration(), reached) << "every life gets on";
    EXPECT_LT(static_cast<double>(course.iteration() - reached), 40 - 2) << "there is time for the snapshot";
    reached = course.iteration();
    if (steps.back().first == Kind::finish) break;
  }
  EXPECT_EQ(reached, 100);
  EXPECT_GT(lives, 1);
}

// A validation that does not fit is the next life's first deed.
TEST(LifeCourse, HandsOverBeforeAValidationThatDoesNotFit) {
  const LifePlan plan{.iterations = 10, .validation = [](std::int64_t round) {
                        return round == 0 ? std::optional<std::int64_t>(10) : std::nullopt;
                      }};
  LifeCourse course(plan, LifeSpan(0, 40, {.iteration = 1}));
  course.span().iteration_took(1);
  course.played(10);
  EXPECT_EQ(course.next(10, /*guess=*/35).kind, Kind::hand_over);
  EXPECT_EQ(course.next(10, /*guess=*/5).kind, Kind::validate);
}

}  // namespace
}  // namespace funcpipe
