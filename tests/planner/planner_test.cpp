#include "planner/planner.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "planner/alternatives.h"
#include "planner/made_profile.h"
#include "schedule/plan_file.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class PlannerTest : public ::testing::Test {
 protected:
  PlannerTest() : platform_(*load_platform("aws-lambda")), profile_(made_profile(platform_)) {}

  PlanningTask task() {
    PlanningTask task{profile_, platform_};
    task.state.optimizer_copies = 1;
    task.global_batch = 32;
    task.replicas = {1, 2, 4};
    return task;
  }

  Platform platform_;
  Profile profile_;
};

TEST_F(PlannerTest, GivesPlansFromTheFastestToTheCheapestThatTheJobAccepts) {
  const PlanningTask wanted = task();
  const auto planning = plan_training(wanted);
  ASSERT_TRUE(planning) << describe(planning.error());
  ASSERT_GT(planning->frontier.size(), 5u);
  for (std::size_t i = 0; i < planning->frontier.size(); ++i) {
    const PlannedPoint& point = planning->frontier[i];
    EXPECT_DOUBLE_EQ(point.prediction.iteration, point.candidate.period);
    EXPECT_DOUBLE_EQ(point.prediction.iteration_dollars, point.candidate.dollars);
    EXPECT_EQ(point.plan.fingerprint, profile_.model.fingerprint);
    EXPECT_EQ(point.plan.stages.back().end_layer, 12);
    EXPECT_EQ(point.plan.micro_batch, planning->chain_of(point).micro_batch);
    const auto valid = validate(point.plan, profile_.model, platform_, wanted.state);
    EXPECT_TRUE(valid) << describe(valid.error());
    if (i == 0) continue;
    EXPECT_GT(point.candidate.period, planning->frontier[i - 1].candidate.period);
    EXPECT_LT(point.candidate.dollars, planning->frontier[i - 1].candidate.dollars);
  }
}

TEST_F(PlannerTest, ChoosesByTheObjective) {
  PlanningTask wanted = task();
  wanted.objective.kind = Objective::Kind::time;
  EXPECT_EQ(plan_training(wanted)->chosen, 0u);
  wanted.objective.kind = Objective::Kind::cost;
  const auto cheapest = plan_training(wanted);
  EXPECT_EQ(cheapest->chosen, cheapest->frontier.size() - 1);
  wanted.objective = {.kind = Objective::Kind::deadline, .limit = 0.001};
  const auto hurried = plan_training(wanted);
  ASSERT_FALSE(hurried);
  EXPECT_EQ(exit_code(hurried.error()), 2);
  EXPECT_THAT(hurried.error().hint, HasSubstr("nearest deadline"));
}

TEST_F(PlannerTest, PromisesNothingThatTheStoreCannotGive) {
  platform_ = *load_platform("aws-lambda-70MBps");
  profile_ = made_profile(platform_);
  const auto seconds = [&](auto limit) {
    const Platform before = platform_;
    limit(platform_.store);
    PlanningTask wanted = task();
    wanted.objective.kind = Objective::Kind::time;
    const auto planning = plan_training(wanted);
    platform_ = before;
    EXPECT_TRUE(planning) << describe(planning.error());
    return planning ? planning->chosen_point().prediction : Prediction{};
  };
  const Prediction free = seconds([](StoreLimits&) {});
  const auto iterations = static_cast<double>(task().accounting.iterations);
  // Each limit by itself, at which the plan that was fastest would take 100 times as long.
  const double many = 100 * free.iteration * iterations;
  const auto limits = {
      std::pair{&StoreLimits::puts_per_second, static_cast<double>(free.usage.put)},
      std::pair{&StoreLimits::gets_per_second, static_cast<double>(free.usage.get)},
      std::pair{&StoreLimits::requests_per_second, static_cast<double>(free.usage.put + free.usage.get)},
      std::pair{&StoreLimits::upload, static_cast<double>(free.usage.uploaded)},
      std::pair{&StoreLimits::download, static_cast<double>(free.usage.downloaded)}};
  for (const auto& [limit, used] : limits) {
    const double rate = used / many;
    const Prediction limited = seconds([&](StoreLimits& store) { store.*limit = rate; });
    const double asked = limit == &StoreLimits::puts_per_second   ? static_cast<double>(limited.usage.put)
                         : limit == &StoreLimits::gets_per_second ? static_cast<double>(limited.usage.get)
                         : limit == &StoreLimits::requests_per_second
                             ? static_cast<double>(limited.usage.put + limited.usage.get)
                         : limit == &StoreLimits::upload ? static_cast<double>(limited.usage.uploaded)
                                                         : static_cast<double>(limited.usage.downloaded);
    EXPECT_GE(limited.iteration * iterations, 0.9 * asked / rate) << "but for starts, what it asks for is given";
    EXPECT_GT(limited.iteration, free.iteration);
    EXPECT_LT(limited.iteration, 50 * free.iteration) << "another plan, which asks for less, is faster then";
  }
}

TEST_F(PlannerTest, MoreReplicasToChooseFromWorsenNothing) {
  PlanningTask few = task(), more = task();
  few.replicas = {1, 2, 3};
  more.replicas = {1, 2, 3, 4, 5, 6};
  const auto less = plan_training(few), all = plan_training(more);
  ASSERT_TRUE(less && all);
  EXPECT_TRUE(all->proof.exact());
  for (const PlannedPoint& point : less->frontier) {
    bool matched = false;
    for (const PlannedPoint& other : all->frontier)
      matched |= other.candidate.period <= point.candidate.period * (1 + 1e-9) &&
                 other.candidate.dollars <= point.candidate.dollars * (1 + 1e-9);
    EXPECT_TRUE(matched) << point.candidate.period;
  }
}

TEST_F(PlannerTest, ALastMicroBatchOfOneSampleIsNoWholeOne) {
  const auto of = [&](int batch) {
    PlanningTask wanted = task();
    wanted.global_batch = batch;
    Plan plan = *even_plan(profile_.model, 3, 1, batch, 4);
    for (StagePlan& stage : plan.stages) stage.memory_mb = 8192;
    const auto judged = judge(wanted, plan);
    EXPECT_TRUE(judged) << describe(judged.error());
    return judged->point.prediction;
  };
  const Prediction seven = of(28), smaller = of(29), eight = of(32);
  // A quarter of the way from seven to eight micro-batches, in time, traffic and memory.
  EXPECT_NEAR(smaller.iteration, seven.iteration + (eight.iteration - seven.iteration) / 4, 1e-9);
  EXPECT_NEAR(static_cast<double>(smaller.usage.uploaded),
              static_cast<double>(seven.usage.uploaded + (eight.usage.uploaded - seven.usage.uploaded) / 4), 1e5);
  EXPECT_GT(smaller.stages[0].memory, seven.stages[0].memory);
  EXPECT_LT(smaller.stages[0].memory, (seven.stages[0].memory + eight.stages[0].memory) / 2);
  const auto puts = static_cast<double>(eight.usage.put);
  EXPECT_NEAR(static_cast<double>(smaller.usage.put), puts, 0.001 * puts) << "it is a request like any other";
}

TEST_F(PlannerTest, ChoosesVcpusAndMemoryApart) {
  platform_ = *load_platform("alibaba-fc");
  profile_ = made_profile(platform_);
  const PlanningTask wanted = task();
  const auto planning = plan_training(wanted);
  ASSERT_TRUE(planning) << describe(planning.error());
  std::map<int, std::set<double>> used;
  for (const PlannedPoint& point : planning->frontier) {
    const auto valid = validate(point.plan, profile_.model, platform_, wanted.state);
    EXPECT_TRUE(valid) << describe(valid.error());
    double gb = 0, vcpus = 0;
    for (const StagePlan& stage : point.plan.stages) {
      EXPECT_GT(stage.vcpus, 0);
      used[stage.memory_mb].insert(stage.vcpus);
      gb += stage.memory_mb / 1024.0;
      vcpus += stage.vcpus;
    }
    EXPECT_NEAR(point.prediction.usage.vcpu_seconds / point.prediction.usage.gb_seconds, vcpus / gb, 0.02 * vcpus / gb);
    // As judged by what the plan's file says.
    const auto judged = judge(wanted, *plan_from_json(to_json(point.plan), "p"));
    ASSERT_TRUE(judged) << describe(judged.error());
    EXPECT_DOUBLE_EQ(judged->point.prediction.iteration, point.prediction.iteration);
    EXPECT_DOUBLE_EQ(judged->point.prediction.dollars, point.prediction.dollars);
  }
  EXPECT_TRUE(std::ranges::any_of(used, [](const auto& sizes) { return sizes.second.size() > 1; }))
      << "one memory with several numbers of vCPUs";
  for (const OptionProfile& option : profile_.options) {
    const auto chain = make_chain(profile_, platform_, 1, {}, 4);
    const auto found = std::ranges::find_if(chain->options, [&](const ChainOption& known) {
      return known.memory_mb == option.memory_mb && known.vcpus == option.vcpus;
    });
    ASSERT_NE(found, chain->options.end());
    EXPECT_DOUBLE_EQ(found->per_second, option.memory_mb / 1024.0 * 3e-6 + option.vcpus * 2e-5);
  }
}

TEST_F(PlannerTest, AStageThatNamesNoVcpusHasThePlatforms) {
  platform_ = *load_platform("alibaba-fc");
  profile_ = made_profile(platform_);
  PlanningTask wanted = task();
  Plan plan = *even_plan(profile_.model, 3, 1, 32, 4);
  for (StagePlan& stage : plan.stages) stage.memory_mb = 8192;
  const auto judged = judge(wanted, plan);
  ASSERT_TRUE(judged) << describe(judged.error());
  EXPECT_EQ(memory_text(judged->point.plan), "3x8192:2");
  plan.stages[1].vcpus = 16;
  EXPECT_THAT(describe(judge(wanted, plan).error()), HasSubstr("among 2, 4, 8"));
}

TEST_F(PlannerTest, ChoosesWithinWhatIsAllowed) {
  PlanningTask wanted = task();
  auto choices = choices_of(wanted);
  ASSERT_TRUE(choices);
  EXPECT_EQ(choices->micro_batches, (std::vector<int>{1, 4}));
  wanted.replicas.clear();
  EXPECT_EQ(choices_of(wanted)->space.replicas.size(), 32u);
  wanted.global_batch = 3;
  choices = choices_of(wanted);
  EXPECT_EQ(choices->micro_batches, std::vector<int>{1}) << "a micro-batch is not larger than the batch";
  EXPECT_EQ(choices->space.replicas, (std::vector<int>{1, 2, 3}));

  wanted.global_batch = 32;
  wanted.micro_batches = {8, 2, 8};
  wanted.replicas = {2};
  wanted.syncs = {SyncAlgorithm::three_phase};
  const auto planning = plan_training(wanted);
  ASSERT_TRUE(planning) << describe(planning.error());
  for (const PlannedPoint& point : planning->frontier) {
    EXPECT_EQ(point.plan.replicas, 2);
    EXPECT_EQ(point.plan.sync, SyncAlgorithm::three_phase);
    EXPECT_THAT(point.plan.micro_batch, ::testing::AnyOf(2, 8));
  }
}

TEST_F(PlannerTest, RefusesChoicesThereAreNot) {
  const auto refused = [&](auto change, const char* said) {
    PlanningTask wanted = task();
    change(wanted);
    const auto planning = plan_training(wanted);
    ASSERT_FALSE(planning) << said;
    EXPECT_EQ(exit_code(planning.error()), 2);
    EXPECT_THAT(planning.error().message, HasSubstr(said));
  };
  refused([](PlanningTask& wanted) { wanted.global_batch = 0; }, "at least 1 sample");
  refused([](PlanningTask& wanted) { wanted.micro_batches = {64}; }, "from 1 to 32 samples");
  refused([](PlanningTask& wanted) { wanted.micro_batches = {0, 4}; }, "not 0");
  refused([](PlanningTask& wanted) { wanted.replicas = {33}; }, "at most 32");
  refused([](PlanningTask& wanted) { wanted.accounting.iterations = 0; }, "at least 1 iteration");
}

TEST_F(PlannerTest, ALayerThatNoFunctionHoldsIsNamedWithWhatIsMissingAndWhere) {
  for (MicroBatchProfile& at : profile_.micro_batches) at.sizes[5].working = 12 * kGiB;
  PlanningTask wanted = task();
  const auto planning = plan_training(wanted);
  ASSERT_FALSE(planning);
  EXPECT_EQ(exit_code(planning.error()), 2);
  // 12 GiB of working space, 150 MiB of base, and what parameters and 8 micro-batches take besides.
  EXPECT_THAT(planning.error().message,
              AllOf(HasSubstr("layer 5 (block5) alone needs 12.5 GiB"), HasSubstr("2.5 GiB more"),
                    HasSubstr("10240 MB"), HasSubstr("aws-lambda"), HasSubstr("4 replicas")));
  EXPECT_THAT(planning.error().hint, HasSubstr("alibaba-fc (32768 MB) would hold it"));

  profile_.options.resize(1);
  for (MicroBatchProfile& at : profile_.micro_batches) {
    at.sizes[5].working = 2 * kGiB;
    at.times.resize(1);
  }
  EXPECT_THAT(plan_training(wanted).error().hint, HasSubstr("profile it on 3072 MB too"));

  for (MicroBatchProfile& at : profile_.micro_batches) {
    at.sizes[5].working = 0;
    at.times[0][5].fits = false;
  }
  EXPECT_THAT(plan_training(wanted).error().message,
              AllOf(HasSubstr("block5"), HasSubstr("too large for 1024 MB"), HasSubstr("when it was measured")));
}

TEST_F(PlannerTest, TooFewFunctionsAreNamed) {
  for (MicroBatchProfile& at : profile_.micro_batches)
    for (LayerSizes& sizes : at.sizes) sizes.working = 9 * kGiB, sizes.activations = kGiB / 8;
  platform_.limits.concurrency = 1;
  PlanningTask wanted = task();
  wanted.replicas = {4};
  const auto planning = plan_training(wanted);
  ASSERT_FALSE(planning);
  EXPECT_EQ(exit_code(planning.error()), 2);
  EXPECT_THAT(planning.error().message, HasSubstr("runs at most 1 at once"));
  EXPECT_THAT(planning.error().message, HasSubstr("stages x 4 replicas"));
}

TEST_F(PlannerTest, AStopIsHeard) {
  std::stop_source stop;
  stop.request_stop();
  const auto planning = plan_training(task(), stop.get_token());
  ASSERT_FALSE(planning);
  EXPECT_EQ(planning.error().code, ErrorCode::cancelled);
}

TEST_F(PlannerTest, JudgesItsOwnPlansAsItPredictedThem) {
  const PlanningTask wanted = task();
  const auto planning = plan_training(wanted);
  ASSERT_TRUE(planning);
  for (const PlannedPoint& point : planning->frontier) {
    const auto judged = judge(wanted, point.plan);
    ASSERT_TRUE(judged) << describe(judged.error());
    EXPECT_DOUBLE_EQ(judged->point.candidate.period, point.candidate.period);
    EXPECT_DOUBLE_EQ(judged->point.candidate.dollars, point.candidate.dollars);
  }
}

TEST_F(PlannerTest, NoPlanOfAUsersBeatsTheFrontier) {
  PlanningTask wanted = task();
  const auto planning = plan_training(wanted);
  ASSERT_TRUE(planning);
  for (const int cut : {2, 6, 9}) {
    for (const int memory : {2048, 6144, 10240}) {
      const auto judged = judge_cuts(wanted, {{0, cut, memory}, {cut, 12, memory}});
      if (!judged) continue;
      const Candidate& own = judged->point.candidate;
      bool matched = false;
      for (const PlannedPoint& point : planning->frontier)
        matched |=
            point.candidate.period <= own.period * (1 + 1e-9) && point.candidate.dollars <= own.dollars * (1 + 1e-9);
      EXPECT_TRUE(matched) << cut << " " << memory;
    }
  }
}

TEST_F(PlannerTest, CutsAloneGetTheBatchesAndReplicasThatSuitTheObjective) {
  PlanningTask wanted = task();
  const std::vector<StagePlan> stages = {{0, 6, 10240}, {6, 12, 10240}};
  wanted.objective.kind = Objective::Kind::time;
  const auto fastest = judge_cuts(wanted, stages);
  wanted.objective.kind = Objective::Kind::cost;
  const auto cheapest = judge_cuts(wanted, stages);
  ASSERT_TRUE(fastest && cheapest);
  EXPECT_LT(fastest->point.candidate.period, cheapest->point.candidate.period);
  EXPECT_LT(cheapest->point.candidate.dollars, fastest->point.candidate.dollars);
  wanted.objective = {.kind = Objective::Kind::budget, .limit = 1e-6};
  EXPECT_TRUE(judge_cuts(wanted, stages)) << "what nobody can afford is shown";
}

TEST_F(PlannerTest, RefusesPlansOfTheUsersThatCannotBe) {
  const PlanningTask wanted = task();
  Plan plan;
  plan.stages = {{0, 6, 10240}, {6, 12, 0}};
  plan.global_batch = 32;
  plan.micro_batch = 4;
  ASSERT_TRUE(judge(wanted, plan)) << "0 is the largest size";
  const auto refused = [&](auto change, const char* said) {
    Plan changed = plan;
    change(changed);
    const auto judged = judge(wanted, changed);
    ASSERT_FALSE(judged) << said;
    EXPECT_EQ(exit_code(judged.error()), 2);
    EXPECT_THAT(describe(judged.error()), HasSubstr(said));
  };
  refused([](Plan& p) { p.global_batch = 64; }, "batch of 64, not 32");
  refused([](Plan& p) { p.fingerprint = "ffff"; }, "another model");
  refused([](Plan& p) { p.stages.back().end_layer = 13; }, "12 layers");
  refused([](Plan& p) { p.stages.front().memory_mb = 1000; }, "1000 MB");
  refused([](Plan& p) { p.replicas = 9; }, "9 replicas");
  refused([](Plan& p) { p.stages.front().memory_mb = 1024; }, "stage 0 does not fit its function of 1024 MB");
  refused([](Plan& p) { p.stages.front().memory_mb = 1024; }, "give it ");
}

TEST_F(PlannerTest, SaysWhatMoreMemoryAndAnotherCloudWouldChange) {
  PlanningTask wanted = task();
  Plan plan;
  plan.stages = {{0, 6, 5120}, {6, 12, 10240}};
  plan.global_batch = 32;
  plan.micro_batch = 4;
  const auto judged = judge(wanted, plan);
  ASSERT_TRUE(judged) << describe(judged.error());
  const std::vector<std::string> lines = alternatives(wanted, judged->chain, judged->point);
  ASSERT_FALSE(lines.empty());
  EXPECT_THAT(lines[0], AllOf(HasSubstr("with 10240 MB instead of 5120 MB for stage 0"), HasSubstr("faster")));
  for (FunctionSize& option : platform_.sizes) option.uplink = option.downlink = 2e6;
  platform_.burst = {};
  const auto slow = judge(wanted, plan);
  ASSERT_TRUE(slow);
  EXPECT_THAT(alternatives(wanted, slow->chain, slow->point),
              ::testing::Contains(AllOf(HasSubstr("on aws-lambda-3gbit the same plan is"), HasSubstr("faster"))));
}

// Merging loses plans, but makes none up: each is a plan of the layers as they are, at the figures it has there.
TEST_F(PlannerTest, MergedLayersGivePlansOfTheLayersThemselves) {
  profile_ = made_profile(platform_, 24);
  PlanningTask wanted = task();
  wanted.most_layers = 0;
  const auto exact = plan_training(wanted);
  ASSERT_TRUE(exact);
  EXPECT_EQ(exact->merged_layers, 0);
  wanted.most_layers = 8;
  const auto merged = plan_training(wanted);
  ASSERT_TRUE(merged);
  EXPECT_EQ(merged->merged_layers, 8);
  for (const PlannedPoint& point : merged->frontier) {
    EXPECT_EQ(point.plan.stages.back().end_layer, 24);
    const auto judged = judge(wanted, point.plan);
    ASSERT_TRUE(judged) << describe(judged.error());
    EXPECT_DOUBLE_EQ(judged->point.prediction.iteration, point.prediction.iteration);
    const bool reached = std::any_of(exact->frontier.begin(), exact->frontier.end(), [&](const PlannedPoint& best) {
      return best.prediction.iteration <= point.prediction.iteration * (1 + 1e-9) &&
             best.prediction.iteration_dollars <= point.prediction.iteration_dollars * (1 + 1e-9);
    });
    EXPECT_TRUE(reached) << "better than the exact frontier";
  }
  EXPECT_LT(merged->frontier.front().prediction.iteration, 1.1 * exact->frontier.front().prediction.iteration);
}

}  // namespace
}  // namespace funcpipe
