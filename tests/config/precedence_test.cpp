#include "config/precedence.h"

#include <gmock/gmock.h>

#include "config/job_file.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr const char* kFile = R"(
[model]
source = "zoo:fashion-cnn"
[data]
train_input = "x.npy"
train_target = "y.npy"
[training]
global_batch = 128
micro_batch = 32
)";

Result<JobConfig> read(const std::string& parallelism, const std::vector<Override>& overrides = {}) {
  return parse_job_config(kFile + ("[parallelism]\n" + parallelism), "job.toml", overrides);
}

TEST(Precedence, AProfileOnTheCommandLineOutranksTheCutOfTheFileAndSaysSo) {
  const auto config = read("stages = 4\nreplicas = 2\n", {{"parallelism.profile", "p.json"}});
  ASSERT_TRUE(config) << describe(config.error());
  for (const char* option : {"parallelism.stages", "parallelism.replicas", "training.micro_batch"})
    EXPECT_FALSE(config->given.contains(option)) << option;
  EXPECT_EQ(config->parallelism.stages, JobConfig{}.parallelism.stages);
  EXPECT_EQ(config->training.global_batch, 128);
  EXPECT_THAT(
      config->outranked,
      ElementsAre(AllOf(HasSubstr("--parallelism.profile"), HasSubstr("parallelism.stages (job.toml:11:")),
                  HasSubstr("parallelism.replicas (job.toml:12:"), HasSubstr("training.micro_batch (job.toml:9:")));
}

TEST(Precedence, AProfileOnTheCommandLineOutranksAPlanOfTheFile) {
  const auto config = read("plan = \"plan.json\"\n", {{"parallelism.profile", "p.json"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->parallelism.plan, "");
  EXPECT_THAT(config->outranked, SizeIs(2));
}

TEST(Precedence, WhatElseIsOnTheCommandLineStays) {
  const auto config = read(
      "stages = 4\n",
      {{"parallelism.profile", "p.json"}, {"training.micro_batch", "8"}, {"parallelism.replicas", "3", "--replicas"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->training.micro_batch, 8);
  EXPECT_EQ(config->parallelism.replicas, 3);
  EXPECT_THAT(config->outranked, SizeIs(1));
}

TEST(Precedence, StagesOnTheCommandLineOutrankAProfileOfTheFile) {
  const auto config = read("profile = \"p.json\"\n", {{"parallelism.stages", "2", "--stages"}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->parallelism.profile, "");
  EXPECT_THAT(config->outranked, ElementsAre(HasSubstr("--stages outranks parallelism.profile (job.toml:11:")));
}

TEST(Precedence, RefusesStagesBesideAProfileInTheSamePlace) {
  const auto in_file = read("profile = \"p.json\"\nstages = 2\n");
  ASSERT_FALSE(in_file);
  EXPECT_EQ(exit_code(in_file.error()), 2);
  EXPECT_THAT(in_file.error().place, HasSubstr("job.toml:12:"));
  const auto typed = read("", {{"parallelism.profile", "p.json"}, {"parallelism.stages", "2", "--stages"}});
  ASSERT_FALSE(typed);
  EXPECT_EQ(typed.error().place, "--stages");
}

TEST(Precedence, LeavesJobsWithoutAProfileAlone) {
  EXPECT_THAT(read("stages = 2\nreplicas = 2\n")->outranked, IsEmpty());
  EXPECT_THAT(read("stages = 2\n", {{"parallelism.profile", ""}})->outranked, IsEmpty());
}

TEST(Precedence, APlanOnTheCommandLineOutranksTheFileButForTheGlobalBatch) {
  Plan plan;
  plan.stages = {{.first_layer = 0, .end_layer = 3}, {.first_layer = 3, .end_layer = 5}};
  plan.global_batch = 128;
  plan.micro_batch = 4;
  plan.replicas = 1;
  const auto config = read("stages = 4\nreplicas = 1\n", {{"parallelism.plan", "plan.json"}});
  ASSERT_TRUE(config);
  EXPECT_TRUE(check_against_plan(*config, plan, "plan.json"));
  EXPECT_THAT(outranked_by_plan(*config, plan), ElementsAre(HasSubstr("4 for training.micro_batch and outranks 32"),
                                                            HasSubstr("2 for parallelism.stages and outranks 4")));

  const auto typed = read("", {{"parallelism.plan", "plan.json"}, {"parallelism.stages", "4", "--stages"}});
  EXPECT_EQ(check_against_plan(*typed, plan, "plan.json").error().place, "--stages");
  const auto both_in_file = read("plan = \"plan.json\"\n");
  EXPECT_THAT(check_against_plan(*both_in_file, plan, "plan.json").error().message,
              HasSubstr("training.micro_batch is 32"));

  plan.global_batch = 64;
  const auto batch = check_against_plan(*config, plan, "plan.json");
  ASSERT_FALSE(batch);
  EXPECT_THAT(batch.error().hint, AllOf(HasSubstr("--training.global_batch 64"), HasSubstr("--batch 128")));
}

}  // namespace
}  // namespace funcpipe
