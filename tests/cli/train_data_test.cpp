// What a model makes of the data it is given: the real program against a plain loop of PyTorch over the same arrays,
// run in the same environment; and what is refused, or said, before anything is started.
#include <gmock/gmock.h>

#include <charconv>
#include <filesystem>
#include <map>

#include "base/compute_environment.h"
#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kSettings = R"([job]
name = "tiny"
[model]
source = "model.pt"
loss = "LOSS"
[data]
train_input = "x.npy"
train_target = "y.npy"
shuffle = false
[optimizer]
lr = 0.05
momentum = 0.9
[training]
steps = 6
global_batch = 16
micro_batch = 4
wait_limit = 60
[parallelism]
stages = 2
)";

ChildOutput python(const std::string& arguments) {
  const auto output = run_child(
      "/bin/sh", {"-c", "exec /usr/bin/python3 " FUNCPIPE_SOURCE_DIR "/tests/cli/train_data_models.py " + arguments},
      {}, compute_environment(), decides_bits);
  return output ? *output : ChildOutput{-1, "", describe(output.error())};
}

class Data : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    cases_ = fs::path(::testing::TempDir()) / fmt::format("funcpipe-data-{}", ::getpid());
    const ChildOutput made = python(fmt::format("make '{}'", cases_.string()));
    ASSERT_EQ(made.exit_code, 0) << made.err;
  }
  static void TearDownTestSuite() {
    std::error_code ignored;
    fs::remove_all(cases_, ignored);
  }

  // A job of this model and data in a folder of its own.
  static std::unique_ptr<ScratchJob> job_of(const std::string& name, const std::string& loss = "cross-entropy") {
    auto job = std::make_unique<ScratchJob>("data-" + name);
    job->write("job.toml", kSettings);
    job->replace("LOSS", loss);
    for (const char* file : {"model.pt", "x.npy", "y.npy"})
      fs::copy_file(cases_ / name / file, job->folder() / file, fs::copy_options::overwrite_existing);
    return job;
  }

  // Trains it; how far its weights are from those of the plain loop.
  static double difference(const ScratchJob& job, const std::string& name, const std::vector<std::string>& more = {},
                           const std::string& before = "true") {
    std::vector<std::string> arguments{"train", "job.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ChildOutput output = job.run(arguments, before);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    const ChildOutput checked =
        python(fmt::format("check '{}' '{}'", (cases_ / name).string(), (job.results() / "state_dict.pt").string()));
    EXPECT_EQ(checked.exit_code, 0) << checked.err;
    double value = -1;
    std::from_chars(checked.out.data(), checked.out.data() + checked.out.size(), value);
    return value;
  }

  // validate and train say the same.
  static void refused(const std::string& name, const std::string& loss, const std::vector<std::string>& said,
                      const std::vector<std::string>& more = {}) {
    SCOPED_TRACE(name);
    const auto job = job_of(name, loss);
    for (const char* command : {"validate", "train"}) {
      std::vector<std::string> arguments{command, "job.toml"};
      arguments.insert(arguments.end(), more.begin(), more.end());
      const ChildOutput output = job->run(arguments);
      EXPECT_EQ(output.exit_code, 2) << output.err;
      for (const std::string& text : said) EXPECT_THAT(output.err, HasSubstr(text)) << command;
      EXPECT_THAT(output.err, Not(HasSubstr("broken invariant")));
      EXPECT_FALSE(fs::exists(job->results() / "cloud")) << "refused before anything was started";
    }
  }

  static fs::path cases_;
};
fs::path Data::cases_;

TEST_F(Data, ReachesTheModelAsItIsStored) {
  for (const std::string name : {"bytes_inside", "tokens_uint8", "tokens_uint16", "tokens_uint32"})
    EXPECT_EQ(difference(*job_of(name), name), 0) << name;
}

TEST_F(Data, BytesBecomeFloatsForAModelThatTakesNoBytes) {
  const auto job = job_of("pixels", "mse");
  EXPECT_EQ(difference(*job, "pixels", {"--optimizer.lr", "0.05"}), 0);
  EXPECT_THAT(job->run({"validate", "job.toml"}).err, HasSubstr("0.0 to 255.0"));
}

TEST_F(Data, ComplexTensorsTravel) {
  EXPECT_LE(difference(*job_of("rotary"), "rotary", {"--stages", "4"}), 1e-6);
}

TEST_F(Data, AGradientThatABranchDecidesIsNotLost) {
  for (const char* stages : {"2", "3"}) EXPECT_EQ(difference(*job_of("branch"), "branch", {"--stages", stages}), 0);
}

TEST_F(Data, TheClassesMayLieOnTheSecondAxis) {
  EXPECT_EQ(difference(*job_of("second_axis"), "second_axis"), 0);
  refused("square_axis", "cross-entropy", {"class_axis = \"second\" or \"last\""});
  EXPECT_EQ(difference(*job_of("square_axis"), "square_axis", {"--model.class_axis", "second"}), 0);
}

TEST_F(Data, OfATypeThatTheModelDoesNotTakeIsRefusedWithTheWayOut) {
  refused("whole", "cross-entropy", {"x.npy holds int64", "x.astype(\"float32\")"});
  refused("truth_values", "cross-entropy", {"x.npy holds bool", "x.astype(\"float32\")"});
  refused("doubles", "cross-entropy", {"x.npy holds float64", "x.astype(\"float32\")"});
  refused("halves", "cross-entropy", {"x.npy holds float16", "x.astype(\"float32\")"});
  refused("uint64", "cross-entropy", {"x.npy", "x.astype(\"int64\")"});
}

TEST_F(Data, BatchesThatTheModelDoesNotTakeAreRefusedWithThoseThatWouldDo) {
  refused("norm", "cross-entropy",
          {"the last micro-batch of each global batch (17 in micro-batches of 4) has 1 sample",
           "training.global_batch to 16", "training.micro_batch to 3"},
          {"--training.global_batch", "17"});
  refused("norm", "cross-entropy", {"Expected more than 1 value per channel", "set training.micro_batch to 2"},
          {"--training.micro_batch", "1"});
  refused("pairs", "cross-entropy", {"the last micro-batch of the validation data (96 in micro-batches of 5)"},
          {"--data.validation_input", "x.npy", "--data.validation_target", "y.npy", "--validation.micro_batch", "5"});
  EXPECT_EQ(job_of("norm")->run({"validate", "job.toml", "--training.global_batch", "18"}).exit_code, 0);
  EXPECT_EQ(job_of("pairs")->run({"validate", "job.toml"}).exit_code, 0) << "it is never evaluated";
}

TEST_F(Data, WhereThereIsNothingToTrainTheJobIsRefused) {
  refused("frozen", "cross-entropy", {"nothing to train", "none of the model's 6 parameters"});
  refused("detached", "cross-entropy", {"nothing to train", "depends on none of its 6 trainable parameters"});
}

TEST_F(Data, NumbersThatAreNoneAreFoundBeforeTheTraining) {
  refused("overflowing", "mse", {"the loss is", "layer b is the first that is not finite"});
  refused("root_of_zero", "mse", {"the gradient of a", "is not finite"});
  refused("nan_target", "mse", {"y.npy", "row 95"});
  refused("late_token", "cross-entropy", {"index out of range"});
}

TEST_F(Data, ShapesThatMseWouldBroadcastOrScrambleAreRefused) {
  refused("other_layout", "mse", {"[8, 8, 4]", "[4, 8, 8]"});
  refused("broadcast", "mse", {"y.reshape(-1, 1)"});
}

TEST_F(Data, WhatShouldBeKnownIsSaidBeforeTheTraining) {
  const auto said = [&](const std::string& name, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"validate", "job.toml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ChildOutput output = job_of(name, "mse")->run(arguments);
    EXPECT_EQ(output.exit_code, 0) << output.err;
    return output.err;
  };
  EXPECT_THAT(said("byte_target"), HasSubstr("y / 255"));
  EXPECT_THAT(said("large_target"), HasSubstr("y.std()"));
  EXPECT_THAT(said("large_target", {"--training.global_batch", "20"}), HasSubstr("16 of the 96 training rows"));
}

TEST_F(Data, TheClientsEnvironmentDecidesNoBits) {
  const auto job = job_of("plain");
  EXPECT_EQ(difference(*job, "plain"), 0);
  const std::string spec = *read_file(job->results() / "job.json");
  const std::string odd =
      "export OPENBLAS_CORETYPE=Prescott ATEN_CPU_CAPABILITY=default DNNL_MAX_CPU_ISA=SSE41 OMP_NUM_THREADS=2 "
      "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-FMA LD_PRELOAD=/lib/x86_64-linux-gnu/libm.so.6";
  EXPECT_EQ(difference(*job_of("plain"), "plain", {}, odd), 0);
  EXPECT_THAT(spec, HasSubstr("\"numerics\": \"libtorch "));
}

}  // namespace
}  // namespace funcpipe
