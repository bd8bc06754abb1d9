// What operations waited for, the critical path and the gaps, of a job whose every moment is known.
#include "timeline/played.h"

#include <gmock/gmock.h>

#include "timeline/critical_path.h"
#include "timeline/made_events.h"
#include "timeline/utilisation.h"
#include "timeline/words.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr LaneWidth kWidth{1, 4, 4};

class TwoStages : public ::testing::Test {
 protected:
  explicit TwoStages()
      : programs_(programs_of(two_stage_plan())), played_(programs_, two_stage_events(programs_), kWidth) {}

  int find(int worker, OpKind kind, int micro_batch = -1) const {
    return played_.find(worker, 0, op_index(programs_[static_cast<std::size_t>(worker)], kind, micro_batch));
  }
  const PlayedOp& at(int worker, OpKind kind, int micro_batch = -1) const {
    return played_.at(find(worker, kind, micro_batch));
  }

  const std::vector<Program> programs_;
  const Played played_;
};

TEST_F(TwoStages, EachOperationKnowsWhatItWaitedFor) {
  const PlayedOp& forward = at(0, OpKind::forward, 1);
  EXPECT_EQ(forward.waited_for, WaitedFor::lane);
  EXPECT_EQ(forward.after, find(0, OpKind::forward, 0));
  EXPECT_EQ(at(0, OpKind::forward, 0).after, find(0, OpKind::load, 0));
  const PlayedOp& receive = at(1, OpKind::receive_activation, 1);
  EXPECT_EQ(receive.waited_for, WaitedFor::object);
  EXPECT_EQ(receive.after, find(0, OpKind::send_activation, 1));
  EXPECT_EQ(receive.active, 6) << "as soon as the object was there";
  EXPECT_EQ(at(1, OpKind::receive_activation, 0).active, 4.5) << "when it was asked for";
  EXPECT_EQ(at(0, OpKind::load, 0).waited_for, WaitedFor::nothing);
}

TEST_F(TwoStages, TheCriticalPathIsTheChainThatTookSoLong) {
  ASSERT_EQ(played_.whole(), (IterationRange{0, 1}));
  const CriticalPath path = critical_path(played_, {0, 1});
  EXPECT_EQ(path.from, 0);
  EXPECT_EQ(path.to, 17);
  std::vector<int> chain;
  Seconds now = path.from;
  for (const PathStep& step : path.steps) {
    chain.push_back(step.op);
    EXPECT_EQ(step.from, now);
    EXPECT_EQ(step.begun, step.from);
    now = step.to;
  }
  EXPECT_EQ(now, path.to);
  EXPECT_THAT(chain,
              ElementsAre(find(0, OpKind::load, 0), find(0, OpKind::forward, 0), find(0, OpKind::forward, 1),
                          find(0, OpKind::send_activation, 1), find(1, OpKind::receive_activation, 1),
                          find(1, OpKind::forward, 1), find(1, OpKind::backward, 0), find(1, OpKind::backward, 1),
                          find(1, OpKind::send_gradient, 1), find(0, OpKind::receive_gradient, 1),
                          find(0, OpKind::backward, 1), find(0, OpKind::update)));
  const PathSums sum = sums(played_, path.steps);
  EXPECT_THAT(sum.compute, ElementsAre(7, 5));
  EXPECT_EQ(sum.transfers[static_cast<std::size_t>(Activity::pipeline)], 4);
  EXPECT_EQ(sum.transfers[static_cast<std::size_t>(Activity::data)], 1);
  EXPECT_EQ(sum.late + sum.polling, 0);
}

TEST_F(TwoStages, AWorkersTimeIsWhatItDidAndWhatItWaitedFor) {
  const Utilisation use = utilisation(played_, 0, 17);
  const Shares& first = use.workers[0].shares;
  EXPECT_DOUBLE_EQ(first.compute, 8.5);
  EXPECT_DOUBLE_EQ(first.pipeline, 4.5);
  EXPECT_DOUBLE_EQ(first.bubble, 3);
  EXPECT_DOUBLE_EQ(first.data, 1);
  EXPECT_DOUBLE_EQ(first.sum(), 17);
  const Shares& second = use.workers[1].shares;
  EXPECT_DOUBLE_EQ(second.compute, 6.5);
  EXPECT_DOUBLE_EQ(second.pipeline, 2.5);
  EXPECT_DOUBLE_EQ(second.bubble, 2);
  EXPECT_DOUBLE_EQ(second.polling, 0.5);
  EXPECT_DOUBLE_EQ(second.data, 1);
  EXPECT_DOUBLE_EQ(second.other, 4.5) << "nothing more was traced";
  EXPECT_DOUBLE_EQ(second.sum(), 17);
  EXPECT_DOUBLE_EQ(use.shares().compute, 7.5);
  EXPECT_DOUBLE_EQ(use.workers[1].busy[static_cast<std::size_t>(Lane::download)], 1 + 0.5 + 1);
  EXPECT_DOUBLE_EQ(use.workers[1].busy[static_cast<std::size_t>(Lane::upload)], 2);
}

TEST_F(TwoStages, EachGapNamesWhatItWaitedFor) {
  const Utilisation use = utilisation(played_, 0, 17);
  const auto& compute = use.workers[1].gaps[static_cast<std::size_t>(Lane::compute)];
  ASSERT_THAT(compute, SizeIs(3));
  EXPECT_EQ(compute[0].from, 0);
  EXPECT_EQ(compute[0].to, 5);
  EXPECT_EQ(reason(played_, compute[0]), "waits for activation of micro-batch 0 from stage 0 replica 0");
  EXPECT_THAT(parts(played_, compute[0], 9),
              ElementsAre("2.00 s forward of micro-batch 0 at stage 0 replica 0",
                          "1.00 s download of the data of micro-batch 0 at stage 0 replica 0",
                          "1.00 s upload of the activation of micro-batch 0 at stage 0 replica 0",
                          "500.0 ms until stage 1 replica 0 asks for the activation of micro-batch 0",
                          "500.0 ms download of the activation of micro-batch 0 at stage 1 replica 0"));
  EXPECT_EQ(reason(played_, compute[1]), "waits for activation of micro-batch 1 from stage 0 replica 0");
  EXPECT_EQ(reason(played_, compute[2]), "nothing more was traced");
  const auto& upload = use.workers[1].gaps[static_cast<std::size_t>(Lane::upload)];
  EXPECT_EQ(reason(played_, upload[0]), "waits for backward of micro-batch 0");
  const auto& download = use.workers[1].gaps[static_cast<std::size_t>(Lane::download)];
  EXPECT_EQ(reason(played_, download[0]), "waits for stage 0 replica 0 to upload the activation of micro-batch 0");
}

TEST_F(TwoStages, AUploadsPlaceOnANarrowLaneIsWaitedFor) {
  Events events = two_stage_events(programs_);
  for (OpEvent& event : events[0]) {
    if (event.op == op_index(programs_[0], OpKind::send_activation, 0)) event.end = 5.5;
    if (event.op == op_index(programs_[0], OpKind::send_activation, 1)) event.start = 5.5;
  }
  const int second = find(0, OpKind::send_activation, 1);
  const Played wide(programs_, events, kWidth), narrow(programs_, events, {1, 4, 1});
  EXPECT_EQ(wide.at(second).waited_for, WaitedFor::dependency);
  EXPECT_EQ(narrow.at(second).waited_for, WaitedFor::lane);
  EXPECT_EQ(reason(narrow, narrow.at(second)),
            "waits for a free connection: upload of the activation of micro-batch 0");
}

Events several(const std::vector<Program>& programs, std::int64_t iterations) {
  Events all(programs.size());
  for (std::int64_t i = 0; i < iterations; ++i) {
    const Events one = two_stage_events(programs, i, 20 * static_cast<double>(i));
    for (std::size_t worker = 0; worker < one.size(); ++worker)
      all[worker].insert(all[worker].end(), one[worker].begin(), one[worker].end());
  }
  return all;
}

TEST_F(TwoStages, TheLastTwoWholeIterationsAreTheSteadyState) {
  Events events = several(programs_, 4);
  const Played all(programs_, events, kWidth);
  EXPECT_EQ(all.whole(), (IterationRange{0, 4}));
  EXPECT_EQ(all.steady(), (IterationRange{2, 4}));
  events[1].pop_back();
  EXPECT_EQ(Played(programs_, events, kWidth).whole(), (IterationRange{0, 3}));
  EXPECT_EQ(played_.steady(), (IterationRange{0, 1}));
  EXPECT_EQ(Played(programs_, several(programs_, 2), kWidth).steady(), (IterationRange{1, 2}));
  EXPECT_EQ(Played(programs_, Events(2), kWidth).steady(), (IterationRange{0, 0}));

  const CriticalPath path = critical_path(all, {2, 4});
  EXPECT_EQ(path.from, 37) << "the update before";
  EXPECT_EQ(path.to, 77);
  // Data could have been loaded since the forward before, of 41 to 43: that, and not the update, is what the last
  // iteration's first operation waited for; and the first one's for the forward of 21 to 23.
  const PathSums sum = sums(all, path.steps);
  EXPECT_THAT(sum.compute, ElementsAre(7 + 2, 5));
  EXPECT_EQ(sum.late, (60 - 43) + (40 - 37));
}

TEST(Played, EveryMomentOfAnyJobIsExplained) {
  for (const int replicas : {1, 3}) {
    for (const SyncAlgorithm sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
      for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward}) {
        Plan plan = two_stage_plan();
        plan.stages.push_back({.first_layer = 2, .end_layer = 3});
        plan.replicas = replicas;
        plan.global_batch = 11;
        plan.sync = sync;
        plan.order = order;
        const std::vector<Program> programs = programs_of(plan);
        const Played played(programs, played_by_seconds(programs, 4), {1, 1, 1});
        ASSERT_EQ(played.whole(), (IterationRange{0, 4}));
        const CriticalPath path = critical_path(played, {1, 4});
        Seconds now = path.from;
        for (const PathStep& step : path.steps) {
          EXPECT_EQ(step.from, now);
          EXPECT_EQ(step.begun, step.from) << "everything begins as soon as it may";
          now = step.to;
        }
        EXPECT_EQ(now, path.to);
        const Utilisation use = utilisation(played, path.from, path.to);
        for (const WorkerUse& worker : use.workers) {
          EXPECT_NEAR(worker.shares.sum(), path.to - path.from, 1e-9);
          for (std::size_t lane = 0; lane < kLanes; ++lane) {
            Seconds whole = worker.busy[lane];
            for (const Gap& gap : worker.gaps[lane]) whole += gap.seconds();
            EXPECT_NEAR(whole, path.to - path.from, 1e-9);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace funcpipe
