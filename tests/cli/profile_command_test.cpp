// `funcpipe profile` with the real programs: layers measured in functions of the embedded cloud.
#include <gmock/gmock.h>

#include <filesystem>
#include <utility>

#include "base/files.h"
#include "cli/scratch_job.h"
#include "profile/profile.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::Not;

class ProfileCommand : public ::testing::Test {
 protected:
  ProfileCommand() : job_(std::string("profile_") + ::testing::UnitTest::GetInstance()->current_test_info()->name()) {}

  Profile profiled(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "profile");
    const ChildOutput output = job_.run(arguments);
    said_ = output.err;
    printed_ = output.out;
    EXPECT_EQ(output.exit_code, 0) << output.err;
    EXPECT_TRUE(job_.nothing_runs());
    auto profile = load_profile(job_.folder() / "profile.json");
    EXPECT_TRUE(profile) << describe(profile.error());
    return profile.value_or(Profile{});
  }

  ScratchJob job_;
  mutable std::string said_, printed_;
};

Seconds sum(const std::vector<LayerTime>& times) {
  Seconds seconds = 0;
  for (const LayerTime& time : times) seconds += time.forward + time.backward;
  return seconds;
}

TEST_F(ProfileCommand, MeasuresLayersInFunctionsOfEachSizeAndGoesOnWhereItWas) {
  const std::vector<std::string> arguments{"zoo:fashion-cnn",
                                           "--platform",
                                           "aws-lambda",
                                           "--memory",
                                           "1024,3072",
                                           "--micro-batch",
                                           "2,8",
                                           "--optimizer",
                                           "adam",
                                           "--picture",
                                           "bars.svg",
                                           "--vcpu-speed",
                                           "1"};
  Profile profile = profiled(arguments);
  // 0.58 of a vCPU takes 1.73 times as long as a whole one. CPU seconds say so; work beside this test that takes the
  // caches away can spoil a measurement of one of the two sizes, but hardly three in a row.
  const auto ratio = [&] { return sum(profile.micro_batches[1].times[0]) / sum(profile.micro_batches[1].times[1]); };
  const auto near = ::testing::AllOf(::testing::Gt(1.73 / 1.35), ::testing::Lt(1.73 * 1.35));
  for (int more = 2; more > 0 && profile.micro_batches.size() == 2 && !::testing::Matches(near)(ratio()); --more) {
    fs::remove(job_.folder() / "profile.json");
    profile = profiled(arguments);
  }
  ASSERT_EQ(profile.options.size(), 2U);
  ASSERT_EQ(profile.micro_batches.size(), 2U);
  EXPECT_EQ(profile.options[0].memory_mb, 1024);
  EXPECT_EQ(profile.options[0].origin, Origin::measured);
  EXPECT_EQ(profile.optimizer, "adam");
  EXPECT_GT(profile.base_memory, 50 * kMiB);
  EXPECT_LT(profile.base_memory, 600 * kMiB);
  for (const OptionProfile& option : profile.options) {
    EXPECT_GT(option.cold_start, 0);
    EXPECT_GT(option.update_per_byte, 0);
    EXPECT_GT(option.transfer_cpu_per_request, 0);
  }
  const auto& at = profile.micro_batches[1];
  for (const auto& times : at.times) EXPECT_THAT(times, Each(Field(&LayerTime::fits, true)));
  EXPECT_THAT(ratio(), near);
  EXPECT_GT(at.sizes[0].activations, profile.micro_batches[0].sizes[0].activations);
  EXPECT_EQ(at.sizes[0].border, 4 * profile.micro_batches[0].sizes[0].border);

  EXPECT_THAT(printed_, AllOf(HasSubstr("1024"), HasSubstr("What takes longest"), HasSubstr("most memory"),
                              HasSubstr("funcpipe plan profile.json")));
  EXPECT_THAT(*read_file(job_.folder() / "bars.svg"), HasSubstr("<svg"));

  const Profile again = profiled(arguments);
  EXPECT_THAT(said_, HasSubstr("20 results of an earlier run are kept"));
  EXPECT_DOUBLE_EQ(sum(again.micro_batches[0].times[0]), sum(profile.micro_batches[0].times[0]));
}

TEST_F(ProfileCommand, ReplacesNothingButAProfileOfTheSameModelAndPlatform) {
  std::vector<std::string> arguments{
      "zoo:fashion-cnn?width=2", "--memory", "1024", "--micro-batch", "1", "--repeat", "1", "--platform", "aws-lambda"};
  const auto refused = [&](const char* said) {
    const std::string before = *read_file(job_.folder() / "profile.json");
    std::vector<std::string> command = arguments;
    command.insert(command.begin(), "profile");
    const ChildOutput output = job_.run(command);
    EXPECT_EQ(output.exit_code, 2) << output.err;
    EXPECT_THAT(output.err, AllOf(HasSubstr("profile.json: "), HasSubstr(said), HasSubstr("--overwrite")));
    EXPECT_EQ(*read_file(job_.folder() / "profile.json"), before);
  };
  job_.write("profile.json", "my notes");
  refused("is not a profile");
  arguments.emplace_back("--overwrite");
  Profile former = profiled(arguments);
  EXPECT_THAT(printed_, HasSubstr("micro-batch 1: 5 layers, "));
  arguments.pop_back();
  profiled(arguments);
  const std::string fingerprint = std::exchange(former.model.fingerprint, "0123456789abcdef");
  ASSERT_TRUE(save_profile(former, job_.folder() / "profile.json"));
  refused("profile of another model");
  former.model.fingerprint = fingerprint;
  former.platform = "alibaba-fc";
  ASSERT_TRUE(save_profile(former, job_.folder() / "profile.json"));
  refused("for another platform is there: alibaba-fc, not aws-lambda");
}

TEST_F(ProfileCommand, RecordsALayerThatDoesNotFitAndGoesOn) {
  // 80 MB of embeddings in a function of 256 MB, which libtorch half fills.
  const Profile profile = profiled({"zoo:bert?layers=1&width=256&heads=4&vocab=80000&seq=16", "--platform",
                                    "aws-lambda", "--memory", "256", "--micro-batch", "1", "--repeat", "1"});
  ASSERT_EQ(profile.options.size(), 1U);
  const auto& times = profile.micro_batches[0].times[0];
  EXPECT_FALSE(times.front().fits);
  int fitting = 0;
  for (const LayerTime& time : times) fitting += time.fits ? 1 : 0;
  EXPECT_GE(fitting, static_cast<int>(times.size()) - 2);
  EXPECT_GT(fitting, 0);
  EXPECT_THAT(printed_, HasSubstr("1 layer"));
}

TEST_F(ProfileCommand, DerivesWhatIsNotMeasured) {
  const Profile profile = profiled({"zoo:fashion-cnn", "--platform", "aws-lambda", "--scale-from", "2048", "--memory",
                                    "1024,2048,4096", "--micro-batch", "4"});
  ASSERT_EQ(profile.options.size(), 3U);
  EXPECT_EQ(profile.options[0].origin, Origin::derived);
  EXPECT_EQ(profile.options[1].origin, Origin::measured);
  EXPECT_EQ(profile.options[2].origin, Origin::derived);
  EXPECT_GE(profile.parallel_efficiency, 0);
  EXPECT_LE(profile.parallel_efficiency, 1);
  EXPECT_DOUBLE_EQ(profile.vcpu_speed, 0.6);  // the platform file's
  const auto& times = profile.micro_batches[0].times;
  EXPECT_NEAR(sum(times[0]) / sum(times[1]), 1 / profile.options[0].vcpus, 0.01);
  EXPECT_LE(sum(times[2]), sum(times[1]) * 1.0001);
}

TEST_F(ProfileCommand, TakesAJobFileForItsModelItsInputsAndItsOptimiser) {
  job_.replace("lr = 0.05", "name = \"adamw\"\nlr = 0.05");
  job_.replace("momentum = 0.9\n", "");
  job_.replace("micro_batch = 4", "micro_batch = 3");
  const Profile profile = profiled({"job.toml", "--platform", "aws-lambda", "--memory", "1536,4096", "--repeat", "1"});
  EXPECT_EQ(profile.model.source, "zoo:fashion-cnn?width=2");
  EXPECT_EQ(profile.optimizer, "adam") << "which keeps and computes what AdamW does";
  std::vector<int> micro_batches;
  for (const MicroBatchProfile& at : profile.micro_batches) micro_batches.push_back(at.micro_batch);
  EXPECT_EQ(micro_batches, (std::vector<int>{1, 3, 4, 16})) << "the usual ones and the job's";
  ASSERT_EQ(profile.options.size(), 2U);
  EXPECT_EQ(profile.options[0].origin, Origin::measured);
  EXPECT_EQ(profile.options[1].origin, Origin::derived) << "two threads on its two vCPUs";
  EXPECT_EQ(profile.options[1].threads, 2);
  EXPECT_THAT(printed_, HasSubstr("funcpipe train job.toml --parallelism.profile profile.json"));
}

struct Refusal {
  std::vector<std::string> arguments;
  const char* said;
};
class BadProfile : public ProfileCommand, public ::testing::WithParamInterface<Refusal> {};

TEST_P(BadProfile, ExitsWithTwoAndSaysWhy) {
  std::vector<std::string> arguments = GetParam().arguments;
  arguments.insert(arguments.begin(), "profile");
  const ChildOutput output = job_.run(arguments);
  EXPECT_EQ(output.exit_code, 2) << output.out << output.err;
  EXPECT_THAT(output.err, AllOf(HasSubstr(GetParam().said), Not(HasSubstr("terminate called"))));
  EXPECT_FALSE(fs::exists(job_.folder() / "profile.json"));
  EXPECT_TRUE(job_.nothing_runs());
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, BadProfile,
    ::testing::Values(Refusal{{"zoo:fashion-cnn", "--platform", "asw-lambda"}, "asw-lambda"},
                      Refusal{{"zoo:fashoin-cnn", "--platform", "aws-lambda"}, "fashion-cnn"},
                      Refusal{{"missing.pt", "--platform", "aws-lambda"}, "--input float32:"},
                      Refusal{{"missing.toml"}, "missing.toml"},
                      Refusal{{"missing.pt", "--platform", "aws-lambda", "--input", "float32:1x4"}, "missing.pt"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--memory", "1000"}, "1024"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--scale-from", "1000"}, "1024"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--micro-batch", "0"}, "--micro-batch"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--input", "float31:4"}, "float31:4"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--optimizer", "lamb"}, "optimizer"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--dilation", "0.5"}, "dilation"},
                      Refusal{{"zoo:fashion-cnn", "--platform", "aws-lambda", "--input", "float32:4x3x5x5"}, "model"}));

}  // namespace
}  // namespace funcpipe
