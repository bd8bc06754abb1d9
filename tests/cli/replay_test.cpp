// Workers and clients that are killed in the middle: the job goes on, and its weights are those of an undisturbed run.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Long enough to be disturbed, with snapshots every 25 iterations and a validation every epoch of 6.
const std::vector<std::string> kArguments = {
    "--training.steps", "200", "--checkpoint.interval", "25", "--validation.every_epochs", "5", "--json"};

std::vector<std::string> train_command(std::vector<std::string> more = {}) {
  std::vector<std::string> command = {"train", "job.toml"};
  command.insert(command.end(), kArguments.begin(), kArguments.end());
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

// Of a run of its own in another folder.
std::string undisturbed(const std::vector<std::string>& command) {
  const ScratchJob job("undisturbed");
  const ChildOutput output = job.run(command);
  EXPECT_EQ(output.exit_code, 0) << output.err;
  EXPECT_EQ(nlohmann::json::parse(output.out, nullptr, false).value("accidents", -1), 0);
  return read_file(job.results() / "state_dict.pt").value_or("none");
}

// A client in the background, once all its workers run.
class Background {
 public:
  Background(const ScratchJob& job, std::vector<std::string> command) : job_(job), verb_(command.front()) {
    thread_ = std::jthread([this, command = std::move(command)] { output_ = job_.run(command); });
    EXPECT_TRUE(soon([&] { return job_.instances().size() >= 4; }));
  }
  // After `seconds` more.
  void kill_worker(double seconds, std::size_t which, int signal = SIGKILL) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    const std::vector<pid_t> workers = job_.instances();
    if (!workers.empty()) ::kill(workers[which % workers.size()], signal);
  }
  void kill_client(double seconds, int signal) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
    if (const pid_t pid = job_.client(verb_); pid > 0) ::kill(pid, signal);
  }
  ChildOutput join() {
    thread_.join();
    return std::move(output_);
  }

 private:
  const ScratchJob& job_;
  const std::string verb_;
  ChildOutput output_;
  std::jthread thread_;
};

std::vector<fs::path> snapshots_of(const ScratchJob& job) {
  std::vector<fs::path> found;
  std::error_code status;
  for (const auto& entry : fs::recursive_directory_iterator(job.results() / "cloud/objects", status))
    if (entry.is_regular_file() && entry.path().filename().string().find("snapshot") != std::string::npos)
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

void expect_weights(const ScratchJob& job, const std::string& expected) {
  EXPECT_TRUE(read_file(job.results() / "state_dict.pt").value_or("none") == expected)
      << "the undisturbed run's weights";
  EXPECT_FALSE(fs::exists(job.results() / ".runs"));
  EXPECT_TRUE(job.nothing_runs());
}

TEST(Replay, KilledWorkersAreReplacedAndTheWeightsStayTheSame) {
  const std::string expected = undisturbed(train_command());
  const ScratchJob job("killed_workers");
  Background run(job, train_command());
  run.kill_worker(0, 0);  // some while they start, some later
  ASSERT_TRUE(soon([&] { return !snapshots_of(job).empty(); }));
  for (std::size_t kill = 0; kill < 4; ++kill) run.kill_worker(0.4, 7 * kill + 1);
  const ChildOutput output = run.join();
  ASSERT_EQ(output.exit_code, 0) << output.err;
  EXPECT_THAT(output.err, AllOf(HasSubstr("was lost"), HasSubstr("signal: killed"), HasSubstr("what it has saved")));
  EXPECT_GE(nlohmann::json::parse(output.out, nullptr, false).value("accidents", 0), 1);
  expect_weights(job, expected);
}

TEST(Replay, AWorkerThatIsLostAgainAndAgainEndsTheJob) {
  const ScratchJob job("lost_again");
  job.replace("wait_limit = 60", "wait_limit = 60\nrestarts = 1");
  Background run(job, {"train", "job.toml", "--training.steps", "100000"});
  std::jthread killer([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      for (const pid_t worker : job.instances()) ::kill(worker, SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  });
  const ChildOutput output = run.join();
  EXPECT_EQ(output.exit_code, 1);
  EXPECT_THAT(output.err, HasSubstr("signal: killed"));
}

TEST(Replay, AKilledClientsTrainingIsResumed) {
  const std::string expected = undisturbed(train_command());
  const ScratchJob job("killed_client");
  Background run(job, train_command());
  ASSERT_TRUE(soon([&] { return snapshots_of(job).size() >= 4; }));
  run.kill_client(0.3, SIGKILL);
  run.join();
  ASSERT_TRUE(fs::exists(job.results() / ".runs"));
  // Once more in the middle of it.
  Background second(job, {"resume", "runs/tiny"});
  second.kill_client(0.5, SIGKILL);
  second.join();
  const ChildOutput resumed = job.run({"resume", "runs/tiny", "--json"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_weights(job, expected);
  const std::string history = read_file(job.results() / "history.jsonl").value_or("");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 200);
  const ChildOutput again = job.run({"resume", "runs/tiny"});
  EXPECT_EQ(again.exit_code, 2) << again.err;
  EXPECT_THAT(again.err, HasSubstr("finished"));
}

// The newest snapshot of a worker is damaged where it lies: the one before it is taken.
TEST(Replay, ADamagedSnapshotDoesNotKeepATrainingFromGoingOn) {
  const std::string expected = undisturbed(train_command());
  const ScratchJob job("damaged_snapshot");
  Background run(job, train_command());
  ASSERT_TRUE(soon([&] { return snapshots_of(job).size() >= 6; }));
  run.kill_client(0, SIGKILL);
  run.join();
  const std::vector<fs::path> snapshots = snapshots_of(job);
  ASSERT_FALSE(snapshots.empty());
  std::string bytes = *read_file(snapshots.back());
  bytes[bytes.size() / 3] ^= 1;
  ASSERT_TRUE(write_file(snapshots.back(), bytes));
  const ChildOutput resumed = job.run({"resume", "runs/tiny"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  expect_weights(job, expected);
}

// A stop keeps what there is to go on with; nobody throws it away unasked.
TEST(Replay, AStoppedTrainingIsKeptUntilItIsGivenUp) {
  const std::string expected = undisturbed(train_command());
  const ScratchJob job("stopped");
  Background run(job, train_command());
  ASSERT_TRUE(soon([&] { return !snapshots_of(job).empty(); }));
  run.kill_client(0, SIGTERM);
  const ChildOutput stopped = run.join();
  EXPECT_EQ(stopped.exit_code, 1);
  EXPECT_THAT(stopped.err, HasSubstr("funcpipe resume runs/tiny"));
  const ChildOutput anew = job.run(train_command());
  EXPECT_EQ(anew.exit_code, 1) << "a training with snapshots is not thrown away";
  EXPECT_THAT(anew.err, AllOf(HasSubstr("broken off"), HasSubstr("funcpipe resume runs/tiny")));
  EXPECT_THAT(job.run({"clean"}).err, HasSubstr("--discard"));
  const ChildOutput resumed = job.run({"resume", "runs/tiny"});
  EXPECT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.out, HasSubstr("before the training was broken off"));
  expect_weights(job, expected);
}

TEST(Replay, OneCanResumeOnlyWhatWasBrokenOff) {
  const ScratchJob job("nothing_to_resume");
  const ChildOutput absent = job.run({"resume", "runs/tiny"});
  EXPECT_EQ(absent.exit_code, 2) << absent.err;
  fs::create_directories(job.results());
  const ChildOutput empty = job.run({"resume", "runs/tiny"});
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.err, HasSubstr("no training of this folder was broken off"));
}

}  // namespace
}  // namespace funcpipe
