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

TEST(ArrivalEstimate, AsksWhenItHasSeenItCome) {
  ArrivalEstimate estimate;
  EXPECT_FALSE(estimate.first_poll());
  estimate.learn(0.32, 0.28);  // it came in between
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
}

TEST(ArrivalEstimate, BelievesThatWhatWasThereAtOnceCameEarlier) {
  ArrivalEstimate estimate;
  estimate.learn(0.3, std::nullopt);
  const Seconds once = *estimate.first_poll();
  estimate.learn(once, std::nullopt);
  EXPECT_LT(*estimate.first_poll(), once);
}

TEST(ArrivalEstimate, OneLateArrivalDoesNotMoveItAndTwoDo) {
  ArrivalEstimate estimate;
  estimate.learn(0.32, 0.28);
  estimate.learn(5, 4.9);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
  estimate.learn(0.32, 0.28);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.3);
  estimate.learn(0.8, 0.6);  // the slow one is still among the last three
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.7);
  estimate.learn(0.8, 0.6);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.7);
}

TEST(ArrivalEstimate, AFirstIterationUnlikeTheOthersIsForgotten) {
  ArrivalEstimate estimate;
  estimate.learn(0.1, std::nullopt);
  for (int i = 0; i < 2; ++i) estimate.learn(0.72, 0.68);
  EXPECT_DOUBLE_EQ(*estimate.first_poll(), 0.7);
}

}  // namespace
}  // namespace funcpipe
