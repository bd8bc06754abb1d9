#include "comparison/gains.h"

#include <gtest/gtest.h>

namespace funcpipe {
namespace {

PlayedPlan plan_of(Seconds seconds, Dollars dollars) {
  PlayedPlan plan{.predicted_seconds = seconds, .predicted_dollars = dollars, .seconds = seconds, .dollars = dollars};
  plan.plan.stages = {{.first_layer = 0, .end_layer = 1, .memory_mb = 1024}};
  return plan;
}

Cell cell_of(const std::vector<PlayedPlan>& framework, const std::vector<PlayedPlan>& published) {
  Cell cell;
  for (const System system : kSystems) cell.systems.push_back({.system = system});
  cell.systems[0].played = framework;
  cell.systems[static_cast<std::size_t>(System::published)].played = published;
  return cell;
}

TEST(Bands, HaveThreeParts) {
  EXPECT_EQ(band_of(1.29, kPaperSpeedup), Band::below);
  EXPECT_EQ(band_of(1.3, kPaperSpeedup), Band::within);
  EXPECT_EQ(band_of(2.2, kPaperSpeedup), Band::within);
  EXPECT_EQ(band_of(2.21, kPaperSpeedup), Band::above);
}

TEST(Gain, ComparesPlansOfLeastProduct) {
  const Cell cell = cell_of({plan_of(10, 4)}, {plan_of(5, 3), plan_of(2, 8), plan_of(9, 2)});
  const auto one = gain(cell, System::published, is_framework);
  ASSERT_TRUE(one);
  EXPECT_DOUBLE_EQ(one->speedup, 2);
  EXPECT_DOUBLE_EQ(one->saving, 0.25);
  EXPECT_DOUBLE_EQ(one->faster_for_no_more, 2);
  EXPECT_DOUBLE_EQ(one->cheaper_in_no_more, 0.5);
}

TEST(Gain, NeedsBothSides) {
  EXPECT_FALSE(gain(cell_of({}, {plan_of(1, 1)}), System::published, is_framework));
  EXPECT_FALSE(gain(cell_of({plan_of(1, 1)}, {}), System::published, is_framework));
}

TEST(Cell, OursMustHaveSomethingForEachOfPublishedsPlans) {
  Cell cell = cell_of({}, {plan_of(5, 3)});
  cell.systems.back().played = {plan_of(4, 4), plan_of(6, 2)};
  EXPECT_FALSE(cell.ours_covers_published());
  cell.systems.back().played.push_back(plan_of(5, 3));
  EXPECT_TRUE(cell.ours_covers_published());
}

}  // namespace
}  // namespace funcpipe
