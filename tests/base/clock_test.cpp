#include "base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace funcpipe {
namespace {

TEST(SystemClock, SleepsUntilTheDeadline) {
  SystemClock clock;
  const Seconds start = clock.now();
  EXPECT_TRUE(clock.sleep_until(start + 0.02));
  EXPECT_GE(clock.now(), start + 0.02);
}

TEST(SystemClock, AStopEndsTheSleepEarly) {
  SystemClock clock;
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  const Seconds start = clock.now();
  EXPECT_FALSE(clock.sleep_until(start + 60, stop.get_token()));
  EXPECT_LT(clock.now(), start + 30);
}

TEST(ManualClock, StandsStillUntilAdvanced) {
  ManualClock clock;
  std::atomic<bool> woke = false;
  std::jthread sleeper([&] { woke = clock.sleep_until(5); });
  clock.advance(4.9);
  EXPECT_FALSE(woke);
  EXPECT_DOUBLE_EQ(clock.now(), 4.9);
  clock.advance(0.2);
  sleeper.join();
  EXPECT_TRUE(woke);
}

TEST(DilatedClock, ASecondOfItTakesSeveral) {
  ManualClock real;
  DilatedClock platform(real, 4);
  real.advance(10);
  EXPECT_DOUBLE_EQ(platform.now(), 2.5);
  std::atomic<bool> woke = false;
  std::jthread sleeper([&] { woke = platform.sleep_until(3); });
  real.advance(1.9);
  EXPECT_FALSE(woke);
  real.advance(0.2);
  sleeper.join();
  EXPECT_TRUE(woke);
}

}  // namespace
}  // namespace funcpipe
