#include "base/time_limit.h"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>

namespace funcpipe {
namespace {

bool stops_within(const std::stop_token& token, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!token.stop_requested() && std::chrono::steady_clock::now() < end)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return token.stop_requested();
}

TEST(TimeLimit, StopsAfterItsTime) {
  const TimeLimit limit(0.05, {});
  EXPECT_FALSE(limit.over());
  EXPECT_TRUE(stops_within(limit.token(), 10));
  EXPECT_TRUE(limit.over());
}

TEST(TimeLimit, NoTimeIsOverAtOnce) {
  EXPECT_TRUE(TimeLimit(0, {}).over());
  EXPECT_TRUE(TimeLimit(-1, {}).over());
}

TEST(TimeLimit, StopsWithTheOuterStopWhichIsNotItsOwn) {
  std::stop_source outer;
  const TimeLimit limit(std::numeric_limits<double>::infinity(), outer.get_token());
  EXPECT_FALSE(stops_within(limit.token(), 0.02)) << "no limit";
  outer.request_stop();
  EXPECT_TRUE(limit.token().stop_requested());
  EXPECT_FALSE(limit.over());
}

TEST(TimeLimit, EndsWithoutWaiting) {
  const auto begin = std::chrono::steady_clock::now();
  { const TimeLimit limit(60, {}); }
  EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 10);
}

}  // namespace
}  // namespace funcpipe
