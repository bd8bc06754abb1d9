#include "job/deploy.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "functions/memory_service.h"
#include "protocol/job_keys.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

struct Silent final : TrainObserver {
  void step(const std::string&) override {}
  void training_starts(const JobSpec&) override {}
  void progress(const TrainingProgress&) override {}
  void epoch(const EpochResult&) override {}
  void training_ends() override {}
};

Column zeros(std::int64_t rows) {
  std::shared_ptr<std::byte> bytes(new std::byte[static_cast<std::size_t>(rows) * 16],
                                   std::default_delete<std::byte[]>());
  std::memset(bytes.get(), 0, static_cast<std::size_t>(rows) * 16);
  return {{"float32", {4}, false}, rows, bytes};
}

class Deploy : public ::testing::Test {
 protected:
  Deploy() {
    spec.config.job.name = "my.job";
    spec.plan.stages = {{0, 1, 1024}, {1, 2, 2048}, {2, 3, 1024}};
    spec.plan.global_batch = 8;
    spec.plan.micro_batch = 4;
    spec.model.micro_batch = 4;
    spec.model.inputs = spec.model.outputs = {{"float32", {4, 1}}};
    for (const char* name : {"a", "b", "c"}) spec.model.layers.push_back({.name = name});
    for (std::size_t layer : {0, 1}) spec.model.layers[layer].border = {{"float32", {4, 1}, true}};
    data.train = {zeros(100), zeros(100)};
    data.validation = {zeros(10), zeros(10)};
    const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "deploy";
    for (const char* name : {"a", "b", "c"}) {
      EXPECT_TRUE(write_file(folder / name, name));
      stages.push_back(folder / name);
    }
  }
  std::size_t objects() { return store.list("")->size(); }

  JobSpec spec;
  Datasets data;
  std::vector<std::filesystem::path> stages;
  MemoryStore store;
  MemoryService functions{[](const MemoryCall&) -> Result<std::string> { return "{}"; }};
  Silent observer;
};

TEST_F(Deploy, PublishesAllAndTakesAllAway) {
  ASSERT_TRUE(store.put("jobs/x-2/kept", "another job's"));
  {
    Deployment deployment(store, functions, "jobs/x");
    const auto published = deployment.publish(spec, data, stages, observer, {});
    ASSERT_TRUE(published) << describe(published.error());
    EXPECT_EQ(**store.get_text(stage_key("jobs/x", 1)), "b");
    const auto written = job_spec_from_json(nlohmann::json::parse(**store.get_text(job_spec_key("jobs/x"))), "");
    ASSERT_TRUE(written) << describe(written.error());
    EXPECT_EQ(written->train.rows(), 100);
    EXPECT_EQ(written->validation.rows(), 10);
    ASSERT_TRUE(deployment.create_functions(spec, {}, false));
    EXPECT_EQ(deployment.function_count(), 2u) << "one for each memory size";
    EXPECT_EQ(deployment.function_of({1024}), "funcpipe-my-job-1024");
    EXPECT_TRUE(*functions.exists("funcpipe-my-job-2048"));
  }
  EXPECT_FALSE(*functions.exists("funcpipe-my-job-1024"));
  EXPECT_EQ(objects(), 1u) << "the other job's object stays";
}

TEST_F(Deploy, MakesOneFunctionForEachMemoryWithItsVcpus) {
  spec.plan.stages[0].vcpus = 0.25;
  spec.plan.stages[2].vcpus = 0.5;
  Deployment deployment(store, functions, "jobs/x");
  ASSERT_TRUE(deployment.create_functions(spec, {}, false));
  EXPECT_EQ(deployment.function_count(), 3u);
  EXPECT_EQ(deployment.function_of({1024, 0.5}), "funcpipe-my-job-1024-0-5");
  EXPECT_NE(deployment.function_of({1024, 0.25}), deployment.function_of({1024, 0.5}));
  EXPECT_EQ(deployment.function_of({2048}), "funcpipe-my-job-2048");
}

TEST_F(Deploy, LeavesAFunctionThatIsNotItsOwn) {
  ASSERT_TRUE(functions.create({.name = "funcpipe-my-job-2048"}));
  {
    Deployment deployment(store, functions, "jobs/x");
    const auto created = deployment.create_functions(spec, {}, false);
    ASSERT_FALSE(created);
    EXPECT_EQ(created.error().code, ErrorCode::already_exists);
    EXPECT_FALSE(created.error().hint.empty());
  }
  EXPECT_TRUE(*functions.exists("funcpipe-my-job-2048"));
  EXPECT_FALSE(*functions.exists("funcpipe-my-job-1024")) << "what was created is taken away again";
  Deployment deployment(store, functions, "jobs/x");
  EXPECT_TRUE(deployment.create_functions(spec, {}, true)) << "left over from a run that was killed";
}

TEST_F(Deploy, KeepsWhatResultsAreMadeFrom) {
  const std::string prefix = "jobs/x";
  {
    Deployment deployment(store, functions, prefix);
    ASSERT_TRUE(deployment.publish(spec, data, stages, observer, {}));
    ASSERT_TRUE(deployment.create_functions(spec, {}, false));
    for (const std::string& key :
         {trained_key(prefix, 0), report_key(prefix, 10, 0), validation_report_key(prefix, 0, 0),
          trace_key(prefix, {0, 0}), snapshot_key(prefix, 10, 0, {0, 0}), stop_key(prefix)})
      ASSERT_TRUE(store.put(key, "x"));
    ASSERT_TRUE(deployment.keep_results());
  }
  EXPECT_FALSE(*functions.exists("funcpipe-my-job-1024"));
  std::vector<std::string> left;
  const auto listed = store.list("");
  ASSERT_TRUE(listed);
  for (const ListedObject& object : *listed) left.push_back(object.key);
  EXPECT_THAT(left,
              ::testing::UnorderedElementsAre(job_spec_key(prefix), trained_key(prefix, 0), report_key(prefix, 10, 0),
                                              validation_report_key(prefix, 0, 0), trace_key(prefix, {0, 0})));
}

TEST_F(Deploy, KeepsTheMarkForWorkersThatHaveYetToSeeIt) {
  {
    Deployment deployment(store, functions, "jobs/x");
    ASSERT_TRUE(deployment.publish(spec, data, stages, observer, {}));
    ASSERT_TRUE(store.put(stop_key("jobs/x"), "stopped"));
    ASSERT_TRUE(deployment.keep_stop_mark());
  }
  EXPECT_EQ(objects(), 1u);
  EXPECT_TRUE(*store.size(stop_key("jobs/x")));
}

TEST_F(Deploy, StopsBetweenObjects) {
  std::stop_source source;
  source.request_stop();
  {
    Deployment deployment(store, functions, "jobs/x");
    const auto published = deployment.publish(spec, data, stages, observer, source.get_token());
    ASSERT_FALSE(published);
    EXPECT_EQ(published.error().code, ErrorCode::cancelled);
  }
  EXPECT_EQ(objects(), 0u);
}

}  // namespace
}  // namespace funcpipe
