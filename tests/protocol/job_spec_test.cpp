#include "protocol/job_spec.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "config/options.h"
#include "golden_file.h"
#include "schedule/plan_file.h"

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
  spec.recovery = {.period = 60.5, .iterations = 40};
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

constexpr const char* kGolden = "protocol/data/job-v2.json";

// It has every option of the job file: an option that is added, renamed or given another default is seen here too.
TEST(JobSpec, IsWrittenAsTheGoldenFile) {
  JobSpec spec = example();
  spec.numerics = "libtorch 1.13.1, AVX2";
  expect_golden(to_json(spec).dump(2) + "\n", kGolden);
}

TEST(JobSpec, ReadsTheGoldenFile) {
  const auto read = job_spec_from_json(json::parse(golden_text(kGolden)), kGolden);
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->id, "fashion-17");
  EXPECT_EQ(to_json(read->config), to_json(example().config));
  EXPECT_EQ(read->config.job.name, "fashion");
  EXPECT_EQ(to_json(read->plan), to_json(example().plan));
  EXPECT_EQ(to_json(read->model), to_json(example().model));
  EXPECT_EQ(read->train.input.row.dtype, "float32");
  EXPECT_EQ(read->train.input.row.shape, (std::vector<std::int64_t>{4}));
  EXPECT_EQ(read->train.input.rows, 1000);
  EXPECT_EQ(read->train.input.block_rows, 100);
  EXPECT_EQ(read->train.input.prefix, "p/data/train/input/");
  EXPECT_EQ(read->train.target.row.dtype, "int64");
  EXPECT_EQ(read->train.target.block_rows, 4000);
  EXPECT_EQ(read->validation.rows(), 0);
  EXPECT_EQ(read->steps, 15);
  EXPECT_EQ(read->steps_per_epoch, 15);
  EXPECT_EQ(read->state.optimizer_copies, 1);
  EXPECT_EQ(read->state.input_cache, 4096);
  EXPECT_EQ(read->state.target_cache, 64);
  EXPECT_EQ(read->numerics, "libtorch 1.13.1, AVX2");
  EXPECT_EQ(read->hand_over.save, 2.5);
  EXPECT_EQ(read->hand_over.load, 3.5);
  EXPECT_EQ(read->recovery.period, 60.5);
  EXPECT_EQ(read->recovery.iterations, 40);
}

TEST(JobSpec, RefusesAnotherVersionAndAnyMissingOrExtraKey) {
  const json good = to_json(example());
  json other = good;
  other["version"] = 9;
  const Error error = job_spec_from_json(other, "job.json").error();
  EXPECT_THAT(error.message, HasSubstr("version 9, this program reads version 2"));
  EXPECT_THAT(error.hint, HasSubstr("of one release"));
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

}  // namespace
}  // namespace funcpipe
