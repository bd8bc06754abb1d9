#include "schedule/life_span.h"

#include <gmock/gmock.h>

#include <limits>

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Seconds kForever = std::numeric_limits<double>::infinity();

TEST(LifeSpan, WithoutDeadlineNeverEnds) {
  LifeSpan life(5, kForever, {});
  EXPECT_EQ(life.chunk(1e9), std::numeric_limits<std::int64_t>::max());
  EXPECT_TRUE(life.fits(1e9, 1e9));
  EXPECT_FALSE(life.has_deadline());
}

TEST(LifeSpan, MeasuresOneIterationFirst) {
  LifeSpan life(0, 900, {});
  EXPECT_EQ(life.chunk(0), 1);
  EXPECT_EQ(LifeSpan(0, 0, {}).chunk(0), 1) << "even without time: progress";
}

TEST(LifeSpan, HalvesWhatIsLeftAndEndsBeforeTheDeadline) {
  LifeSpan life(0, 900, {.hand_over = {.save = 2, .load = 2}});
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
  LifeSpan life(0, 900, {});
  life.iteration_took(60);
  const std::int64_t careful = life.chunk(0);
  for (int i = 0; i < 8; ++i) life.iteration_took(1);
  EXPECT_GT(life.chunk(0), 10 * careful);
}

// A worker plays as the simulator does: iterations of its own, and at the end a snapshot that nobody has measured.
TEST(LifeSpan, TheFirstSnapshotIsForetold) {
  for (const Seconds iteration : {0.5, 4.0, 20.0})
    for (const Seconds save : {1.0, 60.0, 150.0}) {
      LifeSpan life(0, 900, {.hand_over = {.save = save, .load = save}});
      Seconds now = 0;
      while (const std::int64_t chunk = life.chunk(now)) {
        for (std::int64_t i = 0; i < chunk; ++i) life.iteration_took(iteration);
        now += static_cast<double>(chunk) * iteration;
      }
      EXPECT_LT(now + 1.25 * save, 900) << iteration << " " << save;
      EXPECT_GT(now + 1.25 * save, 900 - 4 * iteration - 20) << iteration << " " << save;
    }
}

TEST(LifeSpan, APeerMayBeReplacedInTheLastIteration) {
  const HandOver slow{.save = 30, .load = 40};
  LifeSpan alone(0, 900, {.hand_over = slow}), together(0, 900, {.hand_over = slow, .alone = false});
  for (LifeSpan* life : {&alone, &together}) life->iteration_took(1);
  EXPECT_TRUE(alone.fits(0, 845));
  EXPECT_FALSE(together.fits(0, 845 - 64));
  EXPECT_TRUE(together.fits(0, 845 - 65));
}

TEST(LifeSpan, AMeasuredSnapshotThatTakesLongerCounts) {
  LifeSpan life(0, 100, {.hand_over = {.save = 1}});
  life.iteration_took(1);
  EXPECT_GT(life.chunk(81), 0);
  life.snapshot_took(10);
  EXPECT_EQ(life.chunk(81), 0);
}

TEST(LifeSpan, ALifeThatValidatesFirstKnowsItsIterations) {
  LifeSpan life(0, 100, {});
  life.remember(10, 60);
  EXPECT_TRUE(life.may_validate(0, 0)) << "it has done nothing yet";
  life.validation_took(60);
  EXPECT_EQ(life.slowest_iteration(), 10) << "of the lives before";
  EXPECT_GT(life.chunk(60), 0);
  EXPECT_EQ(life.chunk(76), 0) << "two iterations and the slack are 25 s";
  EXPECT_FALSE(life.may_validate(60, 0)) << "it took 60 s";
  EXPECT_EQ(life.validation(), 60);
}

TEST(HandOver, IsForetoldFromBytesAndBandwidth) {
  const HandOverWork work{.bytes = 4e9, .uplink = 70e6, .downlink = 140e6, .put = 0.02, .get = 0.03, .vcpus = 1};
  const HandOver whole = expected_hand_over(work);
  EXPECT_NEAR(whole.save, 4e9 / 70e6 + 0.02 + packing_seconds(4e9, 1), 1e-9);
  EXPECT_GT(whole.load, 4e9 / 140e6 + packing_seconds(4e9, 1));
  HandOverWork slower = work;
  slower.vcpus = 0.25;
  EXPECT_NEAR(expected_hand_over(slower).save - whole.save, 3 * packing_seconds(4e9, 1), 1e-9);
  slower.vcpus = 6;
  EXPECT_EQ(expected_hand_over(slower).save, whole.save) << "it packs on one thread";
  slower.uplink = kForever;
  EXPECT_NEAR(expected_hand_over(slower).save, 0.02 + packing_seconds(4e9, 1), 1e-9);
}

TEST(CheckLifetime, RefusesLivesThatGetNowhere) {
  const HandOver hand_over{.save = 58, .load = 60};
  EXPECT_TRUE(check_lifetime(900, hand_over, 700));
  EXPECT_TRUE(check_lifetime(kForever, hand_over, 1e9));
  for (const auto& [lifetime, iteration] : {std::pair{900.0, 800.0}, {130.0, 0.0}, {60.0, 1.0}}) {
    const auto refused = check_lifetime(lifetime, hand_over, iteration);
    ASSERT_FALSE(refused) << lifetime;
    EXPECT_EQ(exit_code(refused.error()), 2);
    EXPECT_THAT(describe(refused.error()),
                AllOf(HasSubstr("too short"), HasSubstr("58.00 s for a snapshot"), HasSubstr("raise the lifetime")));
  }
}

}  // namespace
}  // namespace funcpipe
