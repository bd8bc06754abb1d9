#include "job/watch.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "protocol/iteration_report.h"
#include "protocol/job_keys.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

struct Recorder final : TrainObserver {
  void step(const std::string&) override {}
  void training_starts(const JobSpec&) override {}
  void progress(const TrainingProgress& progress) override { seen.push_back(progress); }
  void epoch(const EpochResult& result) override { epochs.push_back(result); }
  void training_ends() override {}
  std::vector<TrainingProgress> seen;
  std::vector<EpochResult> epochs;
};

// 25 iterations of 8 samples over 2 replicas, 10 an epoch, reports every 4, validation of 6 rows every epoch.
class Watch : public ::testing::Test {
 protected:
  Watch() {
    spec.steps = 25;
    spec.steps_per_epoch = 10;
    spec.plan.replicas = 2;
    spec.plan.global_batch = 8;
    spec.config.metrics.log_freq = 4;
    spec.validation.input.rows = 6;
    spec.config.platform.dilation = 2;
  }

  void publish(std::int64_t first, std::int64_t end, int replica) {
    std::vector<IterationReport> reports;
    for (std::int64_t i = first; i < end; ++i)
      reports.push_back({i, 4.0 * static_cast<double>(i), 1, 4, 4, replica == 0 ? 1.0 : 2.0});
    ASSERT_TRUE(store.put(report_key("p", end, replica), to_json(reports).dump()));
  }
  void publish(std::int64_t first, std::int64_t end) {
    publish(first, end, 0);
    publish(first, end, 1);
  }
  void validate(std::int64_t round) {
    ASSERT_TRUE(store.put(validation_report_key("p", round, 0),
                          to_json(std::vector<IterationReport>{{round, 3, 1, 4, 4}}).dump()));
    ASSERT_TRUE(store.put(validation_report_key("p", round, 1),
                          to_json(std::vector<IterationReport>{{round, 3, 2, 2, 2}}).dump()));
  }

  JobSpec spec;
  MemoryStore store;
  ManualClock clock;
  Recorder recorder;
};

TEST_F(Watch, TellsOnceEveryReplicaReported) {
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.5; });
  ASSERT_TRUE(watcher.poll());
  publish(0, 4, 1);
  ASSERT_TRUE(watcher.poll());
  EXPECT_TRUE(recorder.seen.empty());
  publish(0, 4, 0);
  ASSERT_TRUE(watcher.poll());
  ASSERT_EQ(recorder.seen.size(), 1u);
  const TrainingProgress& progress = recorder.seen[0];
  EXPECT_EQ(progress.iteration, 4);
  EXPECT_DOUBLE_EQ(progress.loss, 1.5) << "mean of 0, 1, 2, 3";
  EXPECT_DOUBLE_EQ(*progress.accuracy, 0.25);
  EXPECT_DOUBLE_EQ(progress.seconds_per_iteration, 1.0) << "the slower replica's 2 s, dilation of 2 divided out";
  EXPECT_DOUBLE_EQ(progress.samples_per_second, 8);
  EXPECT_DOUBLE_EQ(progress.left, 21);
  EXPECT_EQ(progress.dollars, 0.5);
}

TEST_F(Watch, WaitsForThePredictedArrivalThenEverLonger) {
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.0; });
  publish(0, 4);
  EXPECT_DOUBLE_EQ(*watcher.poll(), 0.9 * 4 * 2.0) << "wall seconds until the next report";
  const Seconds second = *watcher.poll(), third = *watcher.poll();
  EXPECT_LT(second, 0.9 * 4 * 2.0);
  EXPECT_GT(third, second);
}

TEST_F(Watch, FollowsAJobToItsEnd) {
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.0; });
  for (int i = 4; i <= 24; i += 4) publish(i - 4, i);
  publish(24, 25);
  validate(0);
  ASSERT_TRUE(watcher.poll());
  EXPECT_EQ(recorder.seen.back().iteration, 25) << "catches up in one go";
  EXPECT_EQ(recorder.epochs.size(), 1u) << "the second round is not in yet";
  ASSERT_FALSE(watcher.finish());
  validate(1);
  validate(2);
  const auto finished = watcher.finish();
  ASSERT_TRUE(finished) << describe(finished.error());
  ASSERT_EQ(recorder.epochs.size(), 3u);
  EXPECT_DOUBLE_EQ(recorder.epochs[0].epoch, 1);
  EXPECT_DOUBLE_EQ(recorder.epochs[2].epoch, 2.5);
  EXPECT_DOUBLE_EQ(recorder.epochs[0].train_loss, 4.5);
  EXPECT_DOUBLE_EQ(*recorder.epochs[0].validation_loss, 1);
  EXPECT_DOUBLE_EQ(*recorder.epochs[0].validation_accuracy, 0.5);
  EXPECT_EQ(watcher.epochs().size(), 3u);
}

TEST_F(Watch, WithoutValidationAnEpochIsALine) {
  spec.validation.input.rows = 0;
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.0; });
  for (int i = 4; i <= 24; i += 4) publish(i - 4, i);
  publish(24, 25);
  ASSERT_TRUE(watcher.finish());
  ASSERT_EQ(recorder.epochs.size(), 3u);
  EXPECT_FALSE(recorder.epochs[0].validation_loss);
}

TEST_F(Watch, AMissingReportAtTheEndIsNamed) {
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.0; });
  publish(0, 4);
  publish(4, 8, 0);
  const auto finished = watcher.finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().place, report_key("p", 8, 1));
}

TEST_F(Watch, ADamagedReportIsAnError) {
  Watcher watcher(store, spec, "p", recorder, clock, [] { return 0.0; });
  ASSERT_TRUE(store.put(report_key("p", 4, 0), "{\"half"));
  const auto polled = watcher.poll();
  ASSERT_FALSE(polled);
  EXPECT_THAT(polled.error().place, HasSubstr("report"));
}

TEST(History, WritesOneLineAnIteration) {
  JobSpec spec;
  spec.steps_per_epoch = 2;
  spec.plan.global_batch = 4;
  History history(spec);
  history.add({{0, 8, 3, 4, 4, 1}, {1, std::nan(""), 0, 4, 4, 1}, {2, 4, 0, 0, 3, 1}});
  EXPECT_EQ(history.complete(), 2) << "the third iteration lacks a sample";
  const std::string text = history.iterations_jsonl();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  const auto first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(first["loss"], 2.0);
  EXPECT_EQ(first["accuracy"], 0.75);
  EXPECT_THAT(text, HasSubstr("\"loss\":null")) << "a loss that diverged";
}

}  // namespace
}  // namespace funcpipe
