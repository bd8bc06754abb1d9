#include "schedule/life_span.h"

#include <gtest/gtest.h>

#include <limits>

namespace funcpipe {
namespace {

TEST(LifeSpan, WithoutDeadlineNeverEnds) {
  LifeSpan life(5, std::numeric_limits<double>::infinity());
  EXPECT_EQ(life.chunk(1e9), std::numeric_limits<std::int64_t>::max());
  EXPECT_TRUE(life.fits(1e9, 1e9));
}

TEST(LifeSpan, MeasuresOneIterationFirst) {
  LifeSpan life(0, 900);
  EXPECT_EQ(life.chunk(0), 1);
  EXPECT_EQ(LifeSpan(0, 0).chunk(0), 1);  // even without time: progress
}

TEST(LifeSpan, HalvesWhatIsLeftAndEndsBeforeTheDeadline) {
  LifeSpan life(0, 900);
  life.snapshot_took(2);
  Seconds now = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  int chunks = 0;
  life.iteration_took(1);
  while (const std::int64_t chunk = life.chunk(now)) {
    EXPECT_LE(chunk, last);
    EXPECT_LT(now + static_cast<double>(chunk) * 2, 900);  // twice as slow as measured would still do
    last = chunk;
    now += static_cast<double>(chunk);
    for (int i = 0; i < 8; ++i) life.iteration_took(1);
    ASSERT_LT(++chunks, 50);
  }
  EXPECT_LT(now, 900 - 2 * 2);
  EXPECT_GT(now, 900 - 30);
  EXPECT_LT(chunks, 20);
}

TEST(LifeSpan, ForgetsASlowStart) {
  LifeSpan life(0, 900);
  life.iteration_took(60);
  const std::int64_t careful = life.chunk(0);
  for (int i = 0; i < 8; ++i) life.iteration_took(1);
  EXPECT_GT(life.chunk(0), 10 * careful);
}

TEST(LifeSpan, LeavesTimeForTheSnapshot) {
  LifeSpan life(0, 100);
  life.iteration_took(1);
  EXPECT_GT(life.chunk(80), 0);
  life.snapshot_took(10);
  EXPECT_EQ(life.chunk(80), 0);
}

}  // namespace
}  // namespace funcpipe
