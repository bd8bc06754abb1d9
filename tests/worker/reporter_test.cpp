#include "worker/reporter.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "protocol/job_keys.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

JobSpec job(int every, std::int64_t steps) {
  JobSpec spec;
  spec.config.metrics.log_freq = every;
  spec.steps = steps;
  return spec;
}

std::vector<IterationReport> published(Store& store, const std::string& key) {
  const auto text = store.get_text(key);
  EXPECT_TRUE(text && *text) << key;
  if (!text || !*text) return {};
  const auto reports = iteration_reports_from_json(nlohmann::json::parse(**text));
  EXPECT_TRUE(reports);
  return reports ? *reports : std::vector<IterationReport>{};
}

TEST(Reporter, PublishesEveryFewIterationsAndAtTheEnd) {
  MemoryStore store;
  ManualClock clock;
  Reporter reporter(store, clock, training_reports(job(3, 5), "p", 1));
  for (std::int64_t i = 0; i < 5; ++i) {
    reporter.add(i, {.loss = 1.5, .correct = 1, .predictions = 2, .samples = 2});
    reporter.add(i, {.loss = 0.5, .correct = 0, .predictions = 1, .samples = 1});
    clock.advance(2);
    ASSERT_TRUE(reporter.finish(i));
  }
  const auto first = published(store, report_key("p", 3, 1));
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[2].iteration, 2);
  EXPECT_EQ(first[2].loss, 2);
  EXPECT_EQ(first[2].samples, 3);
  EXPECT_EQ(first[2].correct, 1);
  EXPECT_EQ(first[2].predictions, 3);
  EXPECT_EQ(first[2].seconds, 2);
  EXPECT_EQ(published(store, report_key("p", 5, 1)).size(), 2u);
}

// Reports of neighbouring iterations may run side by side and end in the wrong order.
TEST(Reporter, LosesNothingWhenTheLastIterationEndsFirst) {
  MemoryStore store;
  ManualClock clock;
  Reporter reporter(store, clock, training_reports(job(3, 5), "p", 0));
  for (const std::int64_t iteration : {0, 2, 1, 4, 3}) ASSERT_TRUE(reporter.finish(iteration));
  for (const auto& [done, first, count] : {std::tuple{3, 0, 3U}, std::tuple{5, 3, 2U}}) {
    const auto reports = published(store, report_key("p", done, 0));
    ASSERT_EQ(reports.size(), count);
    EXPECT_EQ(reports.front().iteration, first);
    EXPECT_EQ(reports.back().iteration, done - 1);
  }
}

TEST(Reporter, GoesOnInAnotherFunction) {
  MemoryStore store;
  ManualClock clock;
  Reporter before(store, clock, training_reports(job(4, 8), "p", 0));
  ASSERT_TRUE(before.finish(0));
  ASSERT_TRUE(before.finish(1));
  Reporter after(store, clock, training_reports(job(4, 8), "p", 0));
  after.resume(before.unreported());
  ASSERT_TRUE(after.finish(2));
  ASSERT_TRUE(after.finish(3));
  const auto reports = published(store, report_key("p", 4, 0));
  ASSERT_EQ(reports.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(reports[i].iteration, static_cast<std::int64_t>(i));
  EXPECT_TRUE(after.unreported().empty());
}

TEST(Reporter, ValidationHasAReportPerRound) {
  MemoryStore store;
  ManualClock clock;
  Reporter reporter(store, clock, validation_reports("p", 0));
  reporter.add(2, {.loss = 3, .samples = 4});
  ASSERT_TRUE(reporter.finish(2));
  EXPECT_EQ(published(store, validation_report_key("p", 2, 0)).at(0).loss, 3);
}

}  // namespace
}  // namespace funcpipe
