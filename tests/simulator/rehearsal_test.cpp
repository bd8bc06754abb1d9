#include "simulator/rehearsal.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "planner/made_profile.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

class Rehearsals : public ::testing::Test {
 protected:
  Rehearsals() : platform_(*load_platform("aws-lambda-70MBps")), profile_(made_profile(platform_)) {}

  PlanningTask task() const {
    PlanningTask task{profile_, platform_};
    task.state.optimizer_copies = 1;
    task.global_batch = 32;
    task.micro_batches = {4};
    task.replicas = {1, 2, 4, 8};
    return task;
  }
  Planning planned(const PlanningTask& task) const {
    auto planning = plan_training(task);
    EXPECT_TRUE(planning) << describe(planning.error());
    return planning ? std::move(*planning) : Planning{};
  }

  Platform platform_;
  Profile profile_;
};

TEST_F(Rehearsals, SayWhatTheWholeJobTakes) {
  PlanningTask wanted = task();
  wanted.replicas = {2};
  const Planning planning = planned(wanted);
  const PlannedPoint& point = planning.chosen_point();
  const auto rehearsal = rehearse(wanted, planning, point, 60);
  ASSERT_TRUE(rehearsal) << describe(rehearsal.error());
  const Seconds played = rehearsal->iteration.seconds;
  EXPECT_NEAR(played / point.prediction.iteration, 1, 0.15);
  EXPECT_EQ(rehearsal->prediction.iteration, played);
  // The job's other figures follow from it by the same arithmetic.
  const auto iterations = static_cast<double>(wanted.accounting.iterations);
  EXPECT_GE(rehearsal->prediction.training, iterations * played);
  EXPECT_LE(rehearsal->prediction.training, 1.1 * iterations * played);
  EXPECT_NEAR(static_cast<double>(rehearsal->prediction.usage.put), rehearsal->iteration.puts * iterations,
              0.05 * rehearsal->iteration.puts * iterations);
  EXPECT_NEAR(static_cast<double>(rehearsal->prediction.usage.get), rehearsal->iteration.gets * iterations,
              0.05 * rehearsal->iteration.gets * iterations);
  // Every object is uploaded once, so PUTs are what the planner counted.
  double puts = 0;
  const SpanTable spans(planning.chain_of(point));
  const StageCosts costs(planning.chain_of(point), spans, point.candidate.configuration, wanted.accounting);
  for (std::size_t k = 0; k < point.candidate.ends.size(); ++k)
    puts += costs.traffic(k == 0 ? 0 : point.candidate.ends[k - 1], point.candidate.ends[k], point.candidate.options[k])
                .puts;
  EXPECT_NEAR(rehearsal->iteration.puts, puts, 0.5);
}

TEST_F(Rehearsals, AStoreThatRefusesIsSeen) {
  PlanningTask wanted = task();
  wanted.replicas = {8};
  wanted.objective.kind = Objective::Kind::time;
  wanted.accounting.store_limits = false;  // formulas that know nothing of them
  const Planning planning = planned(wanted);
  const auto free = rehearse(wanted, planning, planning.chosen_point(), 60);
  ASSERT_TRUE(free) << describe(free.error());
  platform_.store.puts_per_second = free->iteration.puts / (4 * free->iteration.seconds);
  const auto limited = rehearse(wanted, planning, planning.chosen_point(), 60);
  if (limited) {
    EXPECT_GT(limited->iteration.seconds, 3 * free->iteration.seconds);
  } else {
    EXPECT_THAT(describe(limited.error()), HasSubstr("503"));
  }
}

TEST_F(Rehearsals, ChooseAPlanThatKeepsTheDeadlineWhenPlayed) {
  // So few requests that formulas without the store's limits promise far too much.
  platform_.store.puts_per_second = 200;
  platform_.store.gets_per_second = 400;
  PlanningTask wanted = task();
  wanted.accounting.store_limits = false;
  const Planning all = planned(wanted);
  // A deadline which the cheapest plan that meets it by its formula breaks when it is played.
  std::optional<Seconds> deadline;
  for (std::size_t i = all.frontier.size(); i-- > 0 && !deadline;) {
    const auto played = rehearse(wanted, all, all.frontier[i], 60);
    const Seconds predicted = all.frontier[i].prediction.training;
    if (played && played->prediction.training > 1.05 * predicted) deadline = 1.02 * predicted;
  }
  ASSERT_TRUE(deadline) << "every plan takes as long as its formula says";
  wanted.objective = {.kind = Objective::Kind::deadline, .limit = *deadline};
  const Planning planning = planned(wanted);
  const auto choice = choose_by_rehearsal(wanted, planning, 600);
  if (!choice) {
    // None keeps it: the error says what can be kept, by what was played.
    EXPECT_THAT(describe(choice.error()), HasSubstr("nearest deadline"));
    return;
  }
  EXPECT_NE(choice->chosen, planning.chosen);
  ASSERT_TRUE(choice->rehearsal());
  EXPECT_LE(choice->rehearsal()->prediction.training, *deadline);
  EXPECT_GT(choice->rehearsals[planning.chosen]->prediction.training, *deadline);
}

// Of lives that are too short for some plans' iterations and snapshots the others remain; for all of them none does.
TEST_F(Rehearsals, LeaveOutWhatDoesNotFitALifetime) {
  const PlanningTask wanted = task();
  const Planning planning = planned(wanted);
  ASSERT_GT(planning.frontier.size(), 1u);
  Seconds longest = 0;
  for (const PlannedPoint& point : planning.frontier) longest = std::max(longest, point.prediction.iteration);
  platform_.limits.lifetime = std::floor(longest);
  const auto slow = std::ranges::find_if(
      planning.frontier, [&](const PlannedPoint& point) { return point.prediction.iteration == longest; });
  const auto refused = rehearse(wanted, planning, *slow, 60);
  ASSERT_FALSE(refused);
  EXPECT_THAT(describe(refused.error()), HasSubstr("lifetime"));
  platform_.limits.lifetime = 1;
  const auto none = choose_by_rehearsal(wanted, planning, 600);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(describe(none.error()), HasSubstr("too short"));
}

TEST_F(Rehearsals, WithoutTimeTheFormulasChoose) {
  const PlanningTask wanted = task();
  const Planning planning = planned(wanted);
  const auto choice = choose_by_rehearsal(wanted, planning, 0);
  ASSERT_TRUE(choice) << describe(choice.error());
  EXPECT_EQ(choice->chosen, planning.chosen);
  EXPECT_FALSE(choice->rehearsal());
  ASSERT_TRUE(choice->failures[choice->chosen]);
  EXPECT_EQ(choice->failures[choice->chosen]->code, ErrorCode::timeout);
}

}  // namespace
}  // namespace funcpipe
