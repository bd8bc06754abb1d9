#include "config/job_spec.h"

#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace funcpipe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

JobSpec example() {
  JobSpec spec;
  spec.id = "fashion-17";
  spec.config.job.name = "fashion";
  spec.model.source = "zoo:fashion-cnn";
  spec.model.fingerprint = "abc";
  spec.model.micro_batch = 16;
  spec.model.inputs = {{"float32", {16, 4}, false}};
  spec.model.outputs = {{"float32", {16, 2}, true}};
  spec.model.parameters = {{"a.weight", {4, 4}}, {"b.weight", {2, 4}}};
  spec.model.layers.resize(2);
  spec.model.layers[0] = {"a", {0}, 0, 256, {{"float32", {16, 4}, true}}, {0}, false};
  spec.model.layers[1] = {"b", {1}, 0, 128, {}, {}, true};
  spec.plan.model = spec.model.source;
  spec.plan.fingerprint = "abc";
  spec.plan.stages = {{0, 1, 1024}, {1, 2, 2048}};
  spec.plan.replicas = 2;
  spec.plan.global_batch = 64;
  spec.plan.micro_batch = 16;
  spec.train.input = {{"float32", {4}, false}, 1000, 100, "p/data/train/input/"};
  spec.train.target = {{"int64", {}, false}, 1000, 4000, "p/data/train/target/"};
  spec.steps = 15;
  spec.steps_per_epoch = 15;
  spec.state = {.optimizer_copies = 1, .input_cache = 4096, .target_cache = 64};
  spec.hand_over = {.save = 2.5, .load = 3.5};
  return spec;
}

TEST(JobSpec, SurvivesJson) {
  const json written = to_json(example());
  const auto read = job_spec_from_json(json::parse(written.dump()), "job.json");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), written);
  EXPECT_EQ(read->train.input.row.shape, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(read->plan.stages[1].memory_mb, 2048);
  EXPECT_EQ(read->steps, 15);
}

TEST(JobSpec, RefusesAnotherVersionAndAnyMissingOrExtraKey) {
  const json good = to_json(example());
  json other = good;
  other["version"] = 2;
  EXPECT_THAT(job_spec_from_json(other, "job.json").error().message, HasSubstr("version 2"));
  for (const auto& [key, value] : good.items()) {
    json lacking = good;
    lacking.erase(key);
    const auto read = job_spec_from_json(lacking, "job.json");
    ASSERT_FALSE(read) << key;
    EXPECT_THAT(read.error().message, HasSubstr(key));
    EXPECT_EQ(read.error().place, "job.json");
    json ill = good;
    ill[key] = json::array({nullptr});
    EXPECT_FALSE(job_spec_from_json(ill, "job.json")) << key;
  }
  json extra = good;
  extra["surprise"] = 1;
  EXPECT_THAT(job_spec_from_json(extra, "job.json").error().message, HasSubstr("surprise"));
}

TEST(JobSpec, KeysAreDistinctAndUnderThePrefix) {
  const std::vector<std::string> keys = {job_spec_key("p"),
                                         stage_key("p", 0),
                                         stage_key("p", 1),
                                         report_key("p", 10, 0),
                                         report_key("p", 10, 1),
                                         report_key("p", 1, 10),
                                         validation_report_key("p", 1, 0),
                                         snapshot_key("p", 1, {0, 0}),
                                         snapshot_key("p", 1, {1, 0}),
                                         snapshot_key("p", 1, {0, 1}),
                                         trained_key("p", 0),
                                         trained_key("p", 1)};
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), keys.size());
  for (const std::string& key : keys) EXPECT_TRUE(key.starts_with("p/")) << key;
  EXPECT_EQ(stage_key("p", 3), "p/model/stage-03.pt");
  EXPECT_EQ(report_key("p", 10, 0), "p/report/i00000010-r0.json");
}

TEST(WorkerMessages, SurviveJson) {
  const WorkerInvocation invocation{"j", "b", "p", {1, 2}, 40, "00ff"};
  const auto read = worker_invocation_from_json(to_json(invocation));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), to_json(invocation));
  EXPECT_EQ(read->worker, (WorkerId{1, 2}));

  const WorkerAnswer answer{"continue", 41, 123456789, ""};
  const auto read_answer = worker_answer_from_json(to_json(answer));
  ASSERT_TRUE(read_answer);
  EXPECT_EQ(to_json(*read_answer), to_json(answer));

  EXPECT_FALSE(worker_invocation_from_json(json("text")));
  EXPECT_FALSE(worker_invocation_from_json({{"job", "j"}}));
  json out_of_range = to_json(invocation);
  out_of_range["stage"] = 1LL << 40;
  EXPECT_FALSE(worker_invocation_from_json(out_of_range));
  EXPECT_FALSE(worker_answer_from_json(json::object()));
}

TEST(IterationReports, SurviveJsonAlsoWhenTheLossDiverged) {
  const std::vector<IterationReport> reports = {{1, 2.5, 3, 4, 5, 0.25}, {2, std::nan(""), 0, 0, 5, 0.5}};
  const auto read = iteration_reports_from_json(json::parse(to_json(reports).dump()));
  ASSERT_TRUE(read) << describe(read.error());
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ((*read)[0].loss, 2.5);
  EXPECT_TRUE(std::isnan((*read)[1].loss));
  EXPECT_FALSE(iteration_reports_from_json(json::object()));
}

}  // namespace
}  // namespace funcpipe
