#include "job/resolve.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "job/four_layers.h"
#include "job/plan_of_job.h"
#include "schedule/memory.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

Result<Plan> plan_of(const JobConfig& config, const Platform& platform = small_platform()) {
  FUNCPIPE_TRY(planned, plan_of_job(config, four_layers(), platform, rows(640)));
  return planned.plan;
}

Result<JobSpec> specify(const JobConfig& config, const Datasets& data) {
  FUNCPIPE_TRY(planned, plan_of_job(config, four_layers(), small_platform(), data));
  return resolve(config, four_layers(), data, planned.plan, "id");
}

using ::testing::HasSubstr;

TEST(Resolve, CountsStepsFromEpochsOrTakesThem) {
  JobConfig config = job();
  config.training.epochs = 2.5;
  auto spec = specify(config, rows(100));
  ASSERT_TRUE(spec) << describe(spec.error());
  EXPECT_EQ(spec->steps_per_epoch, 3) << "the rest of an epoch is dropped";
  EXPECT_EQ(spec->steps, 8) << "7.5 rounded";
  config.training.steps = 17;
  EXPECT_EQ(specify(config, rows(100))->steps, 17);
}

TEST(Resolve, RefusesLessDataThanABatch) {
  const auto spec = specify(job(), rows(31));
  ASSERT_FALSE(spec);
  EXPECT_EQ(exit_code(spec.error()), 2);
  EXPECT_EQ(spec.error().place, "x.npy");
  EXPECT_THAT(spec.error().message, HasSubstr("31"));
}

TEST(Resolve, TakesTheSmallestMemoryThatFitsUnlessToldOtherwise) {
  JobConfig config = job();
  auto plan = plan_of(config);
  ASSERT_TRUE(plan) << describe(plan.error());
  for (int k = 0; k < plan->stage_count(); ++k) {
    const Bytes needed = estimated_memory(*plan, four_layers(), k, training_state(config, rows(640)));
    EXPECT_GE(plan->stages[k].memory_mb * kMiB, needed);
    EXPECT_EQ(plan->stages[k].memory_mb, 512);
  }
  config.platform.memory_mb = 2048;
  EXPECT_EQ(plan_of(config)->stages[0].memory_mb, 2048);
  config.platform.memory_mb = 128;
  const auto tight = plan_of(config);
  ASSERT_FALSE(tight);
  EXPECT_EQ(exit_code(tight.error()), 2);
}

TEST(Resolve, RefusesMorePartsThanThereAre) {
  JobConfig config = job();
  config.parallelism.stages = 9;
  EXPECT_EQ(exit_code(plan_of(config).error()), 2);
  config = job();
  config.parallelism.replicas = 4;
  const auto crowded = plan_of(config);
  ASSERT_FALSE(crowded);
  EXPECT_THAT(crowded.error().message, HasSubstr("8 functions"));
}

TEST(Resolve, PlanFilesHaveTheLastWordAndErrorsNameThem) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "resolve_plan.json";
  JobConfig config = job();
  auto plan = plan_of(config);
  ASSERT_TRUE(plan);
  plan->global_batch = 64;
  plan->micro_batch = 4;
  ASSERT_TRUE(write_file(file, to_json(*plan).dump()));
  config.parallelism.plan = file.string();
  const auto spec = specify(config, rows(640));
  ASSERT_TRUE(spec) << describe(spec.error());
  EXPECT_EQ(spec->steps, 10);
  EXPECT_EQ(spec->config.training.micro_batch, 4);

  plan->stages.back().end_layer = 9;
  ASSERT_TRUE(write_file(file, to_json(*plan).dump()));
  const auto wrong = plan_of(config);
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().place, file.string());
  EXPECT_EQ(exit_code(wrong.error()), 2);

  config.parallelism.plan = "/nonexistent/plan.json";
  EXPECT_EQ(exit_code(plan_of(config).error()), 2);
}

TEST(Resolve, WhatTheUserSetMustNotContradictThePlanFile) {
  const auto file = std::filesystem::path(::testing::TempDir()) / "contradicted_plan.json";
  JobConfig config = job();
  auto plan = plan_of(config);
  ASSERT_TRUE(plan);
  plan->stages[0].memory_mb = 1024;
  plan->stages[1].memory_mb = 0;
  ASSERT_TRUE(write_file(file, to_json(*plan).dump()));
  config.parallelism.plan = file.string();
  const auto outcome = [&](const char* option) {
    config.given = {{option, "--there"}};
    return plan_of(config);
  };
  const auto refused = [&](const char* option, const char* mine, const char* planned) {
    const auto resolved = outcome(option);
    ASSERT_FALSE(resolved) << option;
    EXPECT_EQ(exit_code(resolved.error()), 2);
    EXPECT_EQ(resolved.error().place, "--there");
    for (const std::string& text : {std::string(option) + " is " + mine, std::string(planned) + " in the plan"})
      EXPECT_THAT(resolved.error().message, HasSubstr(text));
    EXPECT_THAT(resolved.error().message, HasSubstr(file.string()));
    EXPECT_THAT(resolved.error().hint,
                ::testing::AnyOf(HasSubstr("--parallelism.plan"), HasSubstr("--training.global_batch")));
  };
  for (const char* option : {"parallelism.stages", "parallelism.replicas", "parallelism.order", "parallelism.sync",
                             "training.global_batch", "training.micro_batch"})
    EXPECT_TRUE(outcome(option)) << option << ": the same value is no contradiction";
  config.platform.memory_mb = 1024;
  const auto remembered = outcome("platform.memory_mb");
  ASSERT_TRUE(remembered) << describe(remembered.error());
  EXPECT_EQ(remembered->stages[1].memory_mb, 1024) << "for the stage of which the plan does not say it";
  config.platform.memory_mb = 2048;
  refused("platform.memory_mb", "2048", "1024");
  config.platform.memory_mb = 0;
  config.parallelism.stages = 3;
  refused("parallelism.stages", "3", "2");
  config.parallelism.replicas = 5;
  refused("parallelism.replicas", "5", "1");
  config.parallelism.sync = "three-phase";
  refused("parallelism.sync", "'three-phase'", "'pipelined'");
  config.training.global_batch = 64;
  refused("training.global_batch", "64", "32");
  config.training.micro_batch = 2;
  refused("training.micro_batch", "2", "8");
  config.given.clear();
  EXPECT_TRUE(plan_of(config)) << "defaults are nobody's wish";
}

TEST(Resolve, AParameterServerServesTheUncutModel) {
  JobConfig config = job();
  config.parallelism.sync = "parameter-server";
  EXPECT_THAT(describe(plan_of(config).error()), HasSubstr("not 2 stages"));
  config.parallelism.stages = 1;
  const auto plan = plan_of(config);
  ASSERT_TRUE(plan) << describe(plan.error());
  EXPECT_EQ(plan->server, "c5.9xlarge");
  config.parallelism.server = "abacus";
  const auto unknown = plan_of(config);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(exit_code(unknown.error()), 2);
  EXPECT_THAT(describe(unknown.error()), HasSubstr("no server named \"abacus\""));
  config.parallelism.sync = "two-level";
  EXPECT_TRUE(plan_of(config)) << "a default is nobody's wish";
  config.given["parallelism.server"] = "--parallelism.server";
  const auto idle = plan_of(config);
  ASSERT_FALSE(idle);
  EXPECT_THAT(describe(idle.error()), HasSubstr("two-level synchronisation has no server"));
}

TEST(PossibleInputs, BeginWithWhatIsStored) {
  Datasets data = rows(10);
  JobConfig config = job();
  using Dtypes = std::vector<std::vector<std::string>>;
  const auto dtypes_of = [](const std::vector<std::vector<TensorSpec>>& choices) {
    Dtypes all;
    for (const auto& inputs : choices) {
      all.emplace_back();
      for (const TensorSpec& input : inputs) all.back().push_back(input.dtype);
    }
    return all;
  };
  const auto taken = [&] { return dtypes_of(possible_inputs(config, data.train).taken); };
  const auto refused = [&] { return dtypes_of(possible_inputs(config, data.train).refused); };
  data.train.input.row = {"uint8", {1, 28, 28}, false};
  EXPECT_EQ(taken(), (Dtypes{{"uint8"}, {"int64"}, {"float32"}}));
  EXPECT_EQ(refused(), Dtypes{});
  EXPECT_EQ(possible_inputs(config, data.train).taken[0][0].shape, (std::vector<std::int64_t>{8, 1, 28, 28}));
  data.train.input.row.dtype = "int32";
  EXPECT_EQ(taken(), (Dtypes{{"int32"}, {"int64"}}));
  EXPECT_EQ(refused(), Dtypes{{"float32"}}) << "only to say that it would do";
  for (const char* dtype : {"bool", "float64", "float16", "int64"}) {
    data.train.input.row.dtype = dtype;
    EXPECT_EQ(taken(), Dtypes{{dtype}});
    EXPECT_EQ(refused(), Dtypes{{"float32"}});
  }
  data.train.input.row.dtype = "float32";
  EXPECT_EQ(taken(), Dtypes{{"float32"}});
  EXPECT_EQ(refused(), Dtypes{});

  config = job();
  config.model.loss = "model";
  data = rows(10);
  data.train.target.row.dtype = "uint8";
  EXPECT_EQ(taken(), (Dtypes{{"float32", "uint8"}, {"float32", "int64"}, {"float32", "float32"}, {"float32"}}))
      << "a model that is its own loss may take the target";
}

TEST(PossibleInputs, TheWayOutNamesFileAndType) {
  Datasets data = rows(10);
  data.train.input.row.dtype = "int64";
  const Error error = refused_types(job(), data.train, {{"float32", {8, 4}}}, "the model rejects int64");
  EXPECT_EQ(exit_code(error), 2);
  EXPECT_EQ(error.message, "the model rejects int64");
  for (const char* text : {"x.npy holds int64", "x.astype(\"float32\")", "x.float()"})
    EXPECT_THAT(error.hint, HasSubstr(text));
}

TEST(TrainingStateOfAJob, CountsOptimiserCopiesAndCachedData) {
  JobConfig config = job();
  const Datasets data = rows(100);
  config.optimizer = {.name = "sgd"};
  EXPECT_EQ(training_state(config, data).optimizer_copies, 0);
  config.optimizer.momentum = 0.9;
  EXPECT_EQ(training_state(config, data).optimizer_copies, 1);
  config.optimizer.name = "adamw";
  EXPECT_EQ(training_state(config, data).optimizer_copies, 2);
  EXPECT_EQ(training_state(config, data).input_cache, 100 * data.train.input.row.bytes());
}

TEST(Resolve, NamesTheVcpusWhereTheyAreChosen) {
  Platform platform = small_platform();
  platform.sizes = {{1024, 0.5, 1e8, 1e8}, {1024, 1, 1e8, 1e8}, {2048, 0.5, 1e8, 1e8}, {2048, 2, 1e8, 1e8}};
  JobConfig config = job();
  const auto vcpus = [&] { return plan_of(config, platform)->stages.front().vcpus; };
  EXPECT_EQ(vcpus(), 1);
  config.platform.vcpus = 0.5;
  EXPECT_EQ(vcpus(), 0.5);
  config.platform.vcpus = 2;
  const auto larger = plan_of(config, platform);
  EXPECT_EQ(larger->stages.front().size(), (SizeChoice{2048, 2})) << "1024 MB cannot have them";
  config.platform.vcpus = 3;
  const auto refused = plan_of(config, platform);
  ASSERT_FALSE(refused);
  EXPECT_EQ(exit_code(refused.error()), 2);
  EXPECT_THAT(describe(refused.error()), HasSubstr("3 vCPUs"));
  config.platform.vcpus = 0;
  EXPECT_EQ(plan_of(config)->stages.front().vcpus, 0) << "where the memory says them, the plan need not";
}

TEST(Resolve, PricesAnUnlimitedCpuAsTheOptionThatHasIt) {
  Platform platform = small_platform();
  for (FunctionSize& option : platform.sizes) option.vcpus = option.memory_mb / 1769.0;
  platform.limit_cpu = false;
  const auto plan = plan_of(job(), platform);
  ASSERT_TRUE(plan) << describe(plan.error());
  for (const StagePlan& stage : plan->stages) EXPECT_GE(stage.memory_mb, 1769);
}

}  // namespace
}  // namespace funcpipe
