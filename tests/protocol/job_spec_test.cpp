#include "protocol/job_spec.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace funcpipe
