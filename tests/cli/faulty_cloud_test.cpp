// `funcpipe train` at endpoints of one's own, with a network that breaks what passes between the job and its cloud.
#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "cli/scratch_job.h"
#include "emulator/emulator.h"
#include "store/faulty_wire.h"

namespace funcpipe {
namespace {

using Fault = FaultyWire::Fault;
using ::testing::HasSubstr;

// A cloud in this process, and a job that reaches its two services through a wire each.
class FaultyCloud {
 public:
  FaultyCloud(const ScratchJob& job, const WireFaults& store_faults, const WireFaults& function_faults)
      : job_(job),
        emulator_(
            Emulator::start({.platform = load_platform("local").value(), .folder = job.folder() / "far"}).value()),
        store(emulator_->s3().url, store_faults),
        functions(emulator_->lambda().url, function_faults) {}

  ChildOutput train(const std::vector<std::string>& more = {}) {
    const Credentials credentials = emulator_->credentials();
    const std::string environment =
        fmt::format("export AWS_ACCESS_KEY_ID='{}' AWS_SECRET_ACCESS_KEY='{}' AWS_REGION='{}'",
                    credentials.access_key_id, credentials.secret_access_key, emulator_->s3().region);
    std::vector<std::string> arguments{
        "train", "job.toml", "--platform.s3_endpoint", store.url(), "--platform.lambda_endpoint", functions.url()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return job_.run(arguments, environment);
  }

 private:
  const ScratchJob& job_;
  std::unique_ptr<Emulator> emulator_;

 public:
  FaultyWire store, functions;
};

TEST(FaultyCloud, TheWeightsAreThoseOfAnUndisturbedRun) {
  const ScratchJob job("faulty_cloud");
  ASSERT_EQ(job.run({"train", "job.toml"}).exit_code, 0);
  const std::string undisturbed = *read_file(job.results() / "state_dict.pt");
  std::filesystem::remove_all(job.results());

  FaultyCloud cloud(job,
                    {.seed = 21,
                     .refused = 0.03,
                     .lost_answer = 0.06,
                     .torn_body = 0.12,
                     .damaged = 0.02,
                     .doubled = 0.03,
                     .late = 0.05},
                    {.seed = 22, .refused = 0.3, .late = 0.3, .statuses = {429}, .only = "/invocations"});
  const ChildOutput output = cloud.train();
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_GT(cloud.store.count(Fault::lost_answer), 3);
  EXPECT_GT(cloud.store.count(Fault::torn_body), 3);
  EXPECT_GT(cloud.functions.count(Fault::refused), 0);
  EXPECT_TRUE(undisturbed == *read_file(job.results() / "state_dict.pt"));
}

// A function whose answer is lost is asked again for what it may have done: what it published is there already, and its
// next life only plays the job to its end once more.
TEST(FaultyCloud, AnInvocationWhoseAnswerIsLostIsRepeatedAndDoesNoHarm) {
  const ScratchJob job("lost_invocation");
  ASSERT_EQ(job.run({"train", "job.toml"}).exit_code, 0);
  const std::string undisturbed = *read_file(job.results() / "state_dict.pt");
  std::filesystem::remove_all(job.results());

  FaultyCloud cloud(job, {}, {.seed = 23, .lost_answer = 0.7, .only = "/invocations"});
  const auto started = std::chrono::steady_clock::now();
  const ChildOutput output = cloud.train();
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(60)) << "wait_limit is 60 s";
  EXPECT_THAT(output.err, HasSubstr("the invocation broke off"));
  EXPECT_THAT(output.err, HasSubstr("stage "));
  EXPECT_GT(cloud.functions.count(Fault::lost_answer), 0);
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_TRUE(undisturbed == *read_file(job.results() / "state_dict.pt"));
}

}  // namespace
}  // namespace funcpipe
