#include "schedule/object_wait.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

constexpr Polling kPolling{.limit = 10};

TEST(ObjectWait, AsksAtOnceWhereNothingIsKnown) {
  ObjectWait wait(kPolling, 100, 99, std::nullopt);
  EXPECT_LE(wait.ask_at(), 100);
  wait.asked(100);
  EXPECT_EQ(wait.polls(), 1);
  EXPECT_EQ(wait.found(), 1) << "after the reference";
  EXPECT_EQ(wait.last_missed(), std::nullopt);
}

TEST(ObjectWait, AsksWhenTheObjectIsExpectedAndThenWithGrowingPauses) {
  ObjectWait wait(kPolling, 100, 100, 4);
  EXPECT_EQ(wait.ask_at(), 104);
  Seconds now = 104, pause = 0;
  for (int i = 0; i < 6; ++i) {
    wait.asked(now);
    ASSERT_TRUE(wait.missed(kPolling, now));
    EXPECT_GE(wait.ask_at() - now, pause);
    pause = wait.ask_at() - now;
    now = wait.ask_at();
  }
  wait.asked(now);
  EXPECT_EQ(wait.found(), now - 100);
  EXPECT_EQ(wait.last_missed(), now - pause - 100);
}

TEST(ObjectWait, GivesUpAtItsLimit) {
  ObjectWait wait(kPolling, 100, 100, std::nullopt);
  Seconds now = 100;
  int asked = 0;
  for (bool goes_on = true; goes_on && asked < 1000; ++asked) {
    wait.asked(now);
    goes_on = wait.missed(kPolling, now);
    if (goes_on) now = wait.ask_at();
  }
  EXPECT_EQ(now, 110) << "the last question is asked at the limit";
  EXPECT_EQ(wait.polls(), asked);
}

// A store that answers late, or a process that was stopped, is not the producer's delay.
TEST(ObjectWait, CountsNoStandstill) {
  ObjectWait wait(kPolling, 100, 100, std::nullopt);
  wait.asked(100);
  EXPECT_TRUE(wait.missed(kPolling, 170)) << "an answer after 70 s";
  EXPECT_NEAR(wait.waited(170), 5, 1e-9);
  EXPECT_NEAR(wait.since_began(170), 70, 1e-9);
  EXPECT_GE(wait.ask_at(), 170);
  wait.asked(wait.ask_at());
  EXPECT_FALSE(wait.missed(kPolling, 176));
}

TEST(ObjectWait, ExpectsNothingBeyondTheLimit) {
  const ObjectWait wait(kPolling, 100, 100, 50);
  EXPECT_EQ(wait.ask_at(), 110);
}

}  // namespace
}  // namespace funcpipe
