// The policy's arithmetic; how well it does while it waits: tests/worker/arrival_test.cpp.
#include "schedule/polling.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

TEST(Polling, PausesGrowBetweenTheirBounds) {
  const Polling polling;
  EXPECT_DOUBLE_EQ(polling.next(10, 10), 10.005);
  EXPECT_DOUBLE_EQ(polling.next(10, 10.4), 10.5);
  EXPECT_DOUBLE_EQ(polling.next(10, 20), 20.25);
}

ArrivalEstimate started() {
  ArrivalEstimate estimate;
  estimate.learn(7, 6.5);  // functions were starting
  return estimate;
}

TEST(ArrivalEstimate, AsksWhenItHasSeenItComeTwice) {
  ArrivalEstimate estimate = started();
  EXPECT_FALSE(estimate.first_poll());
  estimate.learn(0.32, 0.28);  // it came in between
  EXPECT_FALSE(estimate.first_poll()) << "a peer may just have been replaced";
  estimate.learn(0.33, 0.30);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3) << "the earlier one";
}

TEST(ArrivalEstimate, LateArrivalsMoveItOnlyIfTheyLast) {
  ArrivalEstimate estimate = started();
  for (int i = 0; i < 2; ++i) estimate.learn(0.32, 0.28);
  for (int late = 0; late < 2; ++late) {
    estimate.learn(5, 4.9);
    EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
  }
  estimate.learn(0.32, 0.28);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
  for (int i = 0; i < 2; ++i) estimate.learn(0.8, 0.6);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
  estimate.learn(0.9, 0.7);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.7) << "the earliest of three in a row";
}

TEST(ArrivalEstimate, ComesDownFasterWithEachThatWasThere) {
  ArrivalEstimate estimate = started();
  for (const Seconds late : {18.0, 11.0}) estimate.learn(late, late - 0.2);
  const Seconds asked = *estimate.first_poll();
  EXPECT_NEAR(asked, 10.9, 1e-9);
  estimate.learn(asked, std::nullopt);
  estimate.learn(*estimate.first_poll(), std::nullopt);
  EXPECT_LT(*estimate.first_poll(), 0.86 * asked);
}

TEST(ArrivalEstimate, ComesDownFastWhileTheFirstGetFindsIt) {
  ArrivalEstimate estimate = started();
  for (int i = 0; i < 2; ++i) estimate.learn(1.02, 0.98);
  int iterations = 0;
  while (*estimate.first_poll() > 0.2) {
    const Seconds asked = *estimate.first_poll();
    estimate.learn(asked, std::nullopt);
    EXPECT_LT(*estimate.first_poll(), asked);
    ASSERT_LT(++iterations, 7);
  }
}

}  // namespace
}  // namespace funcpipe
