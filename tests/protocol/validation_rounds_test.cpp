#include "protocol/validation_rounds.h"

#include <gmock/gmock.h>

#include <vector>

namespace funcpipe {
namespace {

std::vector<std::int64_t> rounds(double every_epochs, std::int64_t steps_per_epoch, std::int64_t steps,
                                 std::int64_t rows = 10) {
  JobSpec spec;
  spec.config.validation.every_epochs = every_epochs;
  spec.steps_per_epoch = steps_per_epoch;
  spec.steps = steps;
  spec.validation.input.rows = rows;
  std::vector<std::int64_t> result;
  while (const auto iteration = validation_iteration(spec, std::ssize(result))) result.push_back(*iteration);
  return result;
}

using ::testing::ElementsAre;

TEST(ValidationRounds, FallOnEpochEndsAndOnTheJobsEnd) {
  EXPECT_THAT(rounds(1, 5, 20), ElementsAre(5, 10, 15, 20));
  EXPECT_THAT(rounds(1, 5, 12), ElementsAre(5, 10, 12));
  EXPECT_THAT(rounds(2, 5, 12), ElementsAre(10, 12));
  EXPECT_THAT(rounds(0.5, 5, 10), ElementsAre(3, 5, 8, 10));
  EXPECT_THAT(rounds(1, 100, 3), ElementsAre(3));
}

TEST(ValidationRounds, ZeroMeansAtTheEndOnly) {
  EXPECT_THAT(rounds(0, 5, 20), ElementsAre(20));
}
TEST(ValidationRounds, AreAtLeastOneIterationApart) {
  EXPECT_THAT(rounds(0.01, 5, 3), ElementsAre(1, 2, 3));
}
TEST(ValidationRounds, NeedData) {
  EXPECT_THAT(rounds(1, 5, 20, 0), ElementsAre());
}

}  // namespace
}  // namespace funcpipe
