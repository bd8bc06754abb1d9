// A cell's systems: what they may choose, what is chosen, and that playing them agrees with the arithmetic where
// nothing is shared.
#include "comparison/cell.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "comparison/ablation.h"
#include "comparison/all_reduce.h"
#include "comparison/made_ground.h"
#include "comparison/scaling.h"
#include "comparison/sensitivity.h"

namespace funcpipe {
namespace {

TEST(Ground, NamesTheModelsThereAre) {
  const auto ground = load_ground("resnet102", "aws-lambda-70MBps");
  ASSERT_FALSE(ground);
  EXPECT_EQ(ground.error().code, ErrorCode::not_found);
  EXPECT_THAT(ground.error().hint, ::testing::HasSubstr("resnet101"));
}

TEST(Ground, DerivesTheSizesOfAnotherPlatform) {
  const auto ground = load_ground("resnet101", "alibaba-fc");
  ASSERT_TRUE(ground);
  EXPECT_TRUE(ground->derived);
  EXPECT_FALSE(load_ground("resnet101", "aws-lambda-70MBps")->derived);
}

TEST(Systems, FrameworksHaveOneStageAndFitTheirLocalBatch) {
  const Ground ground = made_ground();
  for (const System system : {System::lambda_ml, System::lambda_ml_ga}) {
    const auto frontier = proposals(system, ground, 24, {});
    ASSERT_TRUE(frontier);
    ASSERT_FALSE(frontier->empty());
    for (const Proposal& one : *frontier) {
      EXPECT_EQ(one.plan.stage_count(), 1);
      EXPECT_EQ(one.plan.global_batch, 24);
      if (system == System::lambda_ml) {
        EXPECT_EQ(one.plan.micro_batch_count(), one.plan.replicas);
      }
      EXPECT_TRUE(judge(ground.task(24), one.plan)) << to_string(one.plan.sync);
    }
  }
}

TEST(Systems, PublishedIsOfThePapersKind) {
  const auto frontier = proposals(System::published, made_ground(40), 32, {});
  ASSERT_TRUE(frontier);
  ASSERT_FALSE(frontier->empty());
  for (const Proposal& one : *frontier) {
    EXPECT_EQ(one.plan.micro_batch, 4);
    EXPECT_EQ(one.plan.order, PipelineOrder::gpipe);
    if (one.plan.replicas > 1) {
      EXPECT_EQ(one.plan.sync, SyncAlgorithm::pipelined);
    }
  }
}

TEST(Systems, OursBeatsEveryOtherByTheArithmetic) {
  const Ground ground = made_ground();
  const auto ours = proposals(System::ours, ground, 32, {});
  ASSERT_TRUE(ours);
  for (const System system : {System::lambda_ml_ga, System::tpdmp, System::bayes}) {
    const auto others = proposals(system, ground, 32, {});
    ASSERT_TRUE(others);
    for (const Proposal& other : *others)
      EXPECT_TRUE(std::ranges::any_of(*ours,
                                      [&](const Proposal& one) {
                                        return one.seconds <= other.seconds * (1 + 1e-9) &&
                                               one.dollars <= other.dollars * (1 + 1e-9);
                                      }))
          << name_of(system) << ": " << other.seconds << " s";
  }
}

TEST(Play, AgreesWithTheArithmeticWhereNothingIsShared) {
  const Ground ground = made_ground();
  Plan plan;
  plan.model = ground.profile.model.source;
  plan.fingerprint = ground.profile.model.fingerprint;
  plan.stages = {{.first_layer = 0, .end_layer = 12, .memory_mb = 10240}};
  plan.global_batch = 8;
  plan.micro_batch = 4;
  const auto played = play(ground, 8, {.plan = plan}, {});
  ASSERT_TRUE(played) << describe(played.error());
  EXPECT_NEAR(played->seconds / played->predicted_seconds, 1, 0.01);
  EXPECT_NEAR(played->dollars / played->predicted_dollars, 1, 0.01);
  const auto shares = shares_of(ground, 8, plan, {});
  ASSERT_TRUE(shares);
  EXPECT_NEAR(shares->sum(), played->seconds, 0.02 * played->seconds);
  EXPECT_GT(shares->compute, 0.9 * shares->sum());
}

TEST(Cell, OursCoversPublishedAndTheBestAreTheBest) {
  const auto cell = compare(made_ground(), 32, {});
  ASSERT_TRUE(cell) << describe(cell.error());
  EXPECT_TRUE(cell->ours_covers_published());
  ASSERT_EQ(cell->systems.size(), kSystems.size());
  for (const SystemResult& system : cell->systems) {
    ASSERT_TRUE(system.feasible()) << name_of(system.system);
    if (system.system == System::published) continue;
    for (const PlayedPlan& plan : system.played) {
      EXPECT_LE(system.at(Aim::time).seconds, plan.seconds);
      EXPECT_LE(system.at(Aim::cost).dollars, plan.dollars);
      EXPECT_LE(system.at(Aim::between).product(), plan.product());
    }
  }
}

TEST(Shortlist, KeepsTheEndsAndTheLeastProduct) {
  std::vector<Proposal> frontier;
  for (int i = 1; i <= 50; ++i) {
    frontier.emplace_back();
    frontier.back().seconds = i;
    frontier.back().dollars = 1.0 / (i == 17 ? 2 * i : i);
  }
  const std::vector<Proposal> list = shortlist(frontier, 6);
  ASSERT_EQ(list.size(), 6u);
  EXPECT_EQ(list.front().seconds, 1);
  EXPECT_EQ(list.back().seconds, 50);
  EXPECT_TRUE(std::ranges::any_of(list, [](const Proposal& one) { return one.seconds == 17; }));
  EXPECT_TRUE(std::ranges::is_sorted(list, {}, &Proposal::seconds));
}

TEST(AllReduce, NeverBeatsTheBound) {
  const auto curves = all_reduce_curves(made_ground(), {});
  ASSERT_TRUE(curves);
  for (const AllReducePoint& point : curves->points) {
    if (point.pipelined > 0) {
      EXPECT_GT(point.pipelined, point.bound) << point.replicas;
    }
    if (point.three_phase > 0) {
      EXPECT_GT(point.three_phase, point.bound) << point.replicas;
    }
  }
  EXPECT_EQ(curves->points.front().replicas, 2);
}

TEST(Ablation, EndsWithOurs) {
  const auto one = ablation(made_ground(), 32, {});
  ASSERT_TRUE(one);
  ASSERT_EQ(one->rows.size(), 8u);
  EXPECT_TRUE(one->rows.front().feasible);
  // A plan of uniform sizes was not better: the published planner could have chosen it.
  EXPECT_GE(one->rows[1].between.predicted_seconds * one->rows[1].between.predicted_dollars,
            0.9 * one->rows[0].between.predicted_seconds * one->rows[0].between.predicted_dollars);
}

TEST(Sensitivity, FasterNetworksAreFaster) {
  const Ground ground = made_ground();
  const auto slow = with_network(ground, 32, {.bandwidth = 0.25, .latency = 1}, {});
  const auto fast = with_network(ground, 32, {.bandwidth = 4, .latency = 1}, {});
  ASSERT_TRUE(slow && fast && slow->ours && fast->ours);
  EXPECT_LT(fast->ours->product(), slow->ours->product());
}

TEST(Scaling, ThroughputGrowsWithWorkersAndStaysBelowLinear) {
  const Ground ground = made_ground();
  const auto cell = compare(ground, 16, {});
  ASSERT_TRUE(cell);
  const auto scaled = scaling(ground, *cell, {});
  ASSERT_TRUE(scaled);
  for (const ScalingCurve& curve : scaled->curves) {
    ASSERT_GE(curve.points.size(), 3u) << curve.ended;
    const ScalingPoint &first = curve.points.front(), &third = curve.points[2];
    EXPECT_GT(third.throughput_unlimited, first.throughput_unlimited);
    EXPECT_LE(third.throughput_unlimited, 4.001 * first.throughput_unlimited);
  }
}

}  // namespace
}  // namespace funcpipe
