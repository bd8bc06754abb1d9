// Runs that end before their time: what is kept, what is taken away, and by whom. With the real programs.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "cli/scratch_job.h"

namespace funcpipe {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

// Stands for the worker program: `instead` (shell) runs in place of its verb `verb`; everything else is the real one's.
std::string replacing(const ScratchJob& job, const std::string& verb, const std::string& instead) {
  const fs::path real = fs::path(FUNCPIPE_BINARY).parent_path() / "funcpipe-worker";
  job.write("worker.sh", fmt::format("#!/bin/sh\nif [ \"$1\" = {} ]; then {}; fi\nexec '{}' \"$@\"\n", verb, instead,
                                     real.string()));
  fs::permissions(job.folder() / "worker.sh", fs::perms::owner_all);
  return fmt::format("export FUNCPIPE_WORKER='{}'", (job.folder() / "worker.sh").string());
}

int objects_left(const ScratchJob& job, const std::string& cloud = "runs/tiny/cloud") {
  int count = 0;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(job.folder() / cloud / "objects", status))
    if (entry.is_regular_file() && entry.path().filename() != ".lock") ++count;
  return count;
}

void expect_assembled(const ScratchJob& job, const std::string& state_dict) {
  EXPECT_TRUE(read_file(job.results() / "state_dict.pt").value_or("none") == state_dict)
      << "the weights of an undisturbed run";
  const std::string history = read_file(job.results() / "history.jsonl").value_or("");
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 6);
  for (const char* file : {"model.pt", "validation.json", "plan.json", "job.json"})
    EXPECT_TRUE(fs::exists(job.results() / file)) << file;
  EXPECT_FALSE(fs::exists(job.results() / ".runs"));
  EXPECT_FALSE(fs::exists(job.results() / ".partial"));
  EXPECT_EQ(objects_left(job), 0);
  EXPECT_TRUE(job.nothing_runs());
}

TEST(FinishedTraining, OutlivesWhateverEndsTheProgramAfterwards) {
  const ScratchJob job("kept");
  ASSERT_EQ(job.run({"train", "job.toml", "--metrics.trace_iterations", "2"}).exit_code, 0);
  const std::string undisturbed = *read_file(job.results() / "state_dict.pt");
  EXPECT_TRUE(fs::exists(job.results() / "trace.json"));
  struct Case {
    const char* what;
    const char* instead;  // of assembling
    int exit_code;
    const char* said;
  };
  for (const Case& c : {Case{"the worker program dies", "kill -SEGV $$; sleep 9", 1, "ended by signal 11"},
                        Case{"the client is killed", "kill -KILL $PPID; exit 1", 137, ""},
                        Case{"the client is stopped", "kill -INT $PPID; exec sleep 60", 1, "funcpipe: stopped"}}) {
    SCOPED_TRACE(c.what);
    fs::remove(job.results() / "state_dict.pt");
    const ChildOutput broken = job.run({"train", "job.toml", "--overwrite"}, replacing(job, "assemble", c.instead));
    EXPECT_EQ(broken.exit_code, c.exit_code) << broken.err;
    EXPECT_THAT(broken.err, HasSubstr(c.said));
    if (c.exit_code == 1) {
      EXPECT_THAT(broken.err, HasSubstr("funcpipe assemble runs/tiny"));
    }
    EXPECT_FALSE(fs::exists(job.results() / "state_dict.pt"));
    EXPECT_TRUE(job.nothing_runs());

    if (c.exit_code == 137) {
      const ChildOutput again = job.run({"train", "job.toml", "--overwrite"});
      EXPECT_EQ(again.exit_code, 1) << "it would give up the finished one";
      EXPECT_THAT(again.err, HasSubstr("funcpipe assemble runs/tiny"));
      EXPECT_THAT(job.run({"clean"}).err, HasSubstr("--discard"));

      const ChildOutput failed = job.run({"assemble", "runs/tiny"}, replacing(job, "assemble", "exit 3"));
      EXPECT_EQ(failed.exit_code, 1) << "and that may fail too";
    }
    const ChildOutput assembled = job.run({"assemble", "runs/tiny"});
    EXPECT_EQ(assembled.exit_code, 0) << assembled.err;
    EXPECT_THAT(assembled.out, HasSubstr("runs/tiny"));
    expect_assembled(job, undisturbed);
    EXPECT_TRUE(fs::exists(job.results() / "bill.json"));
    EXPECT_FALSE(fs::exists(job.results() / "trace.json")) << "of a former run";
  }
  const ChildOutput nothing = job.run({"assemble", "runs/tiny"});
  EXPECT_EQ(nothing.exit_code, 2) << nothing.err;
  EXPECT_THAT(nothing.err, HasSubstr("results of the training are already there"));
}

TEST(FinishedTraining, IsGivenUpOnRequest) {
  const ScratchJob job("given_up");
  job.run({"train", "job.toml"}, replacing(job, "assemble", "exit 3"));
  EXPECT_GT(objects_left(job), 0);
  const ChildOutput cleaned = job.run({"clean", "job.toml", "--discard"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_EQ(objects_left(job), 0);
  EXPECT_EQ(job.run({"train", "job.toml"}).exit_code, 0);
}

// A training without end in the background, once its workers run.
class LongRun {
 public:
  LongRun(const ScratchJob& job, std::vector<std::string> more, const std::string& before = "true",
          std::size_t workers = 4)
      : job_(job) {
    more.insert(more.begin(), {"train", "job.toml", "--training.steps", "100000"});
    thread_ = std::jthread([this, more, before] { output = job_.run(more, before); });
    EXPECT_TRUE(soon([&] { return job_.instances().size() >= workers; }));
    EXPECT_TRUE(soon([&] { return client() > 0; }));
    std::this_thread::sleep_for(std::chrono::seconds(3));
  }
  ~LongRun() {
    if (thread_.joinable()) kill(SIGKILL);
  }
  pid_t client() const { return job_.client("train"); }
  void kill(int signal) const {
    if (const pid_t pid = client(); pid > 0) ::kill(pid, signal);
  }
  void join() { thread_.join(); }
  ChildOutput output;

 private:
  const ScratchJob& job_;
  std::jthread thread_;
};

TEST(KilledRun, IsClearedAwayByTheNextJobOfAnotherName) {
  const ScratchJob job("cleared");
  LongRun run(job, {});
  run.kill(SIGKILL);
  run.join();
  EXPECT_TRUE(job.nothing_runs());
  EXPECT_GT(objects_left(job), 0);
  const ChildOutput next = job.run({"train", "job.toml", "--job.name", "other"});
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_THAT(next.err, HasSubstr("took away what run tiny-"));
  EXPECT_EQ(objects_left(job), 0);
  EXPECT_FALSE(fs::exists(job.results() / ".runs"));
  EXPECT_FALSE(fs::exists(job.results() / ".partial"));
}

TEST(KilledRun, CleanTakesItAwayAndLeavesALivingOneAlone) {
  const ScratchJob job("cleaned");
  LongRun run(job, {});
  const ChildOutput meanwhile = job.run({"clean"});
  EXPECT_EQ(meanwhile.exit_code, 0) << meanwhile.err;
  EXPECT_THAT(meanwhile.out, HasSubstr("a run is under way"));
  EXPECT_EQ(job.instances().size(), 4u);
  run.kill(SIGKILL);
  run.join();
  EXPECT_TRUE(job.nothing_runs());
  job.write("runs/tiny/mine.txt", "a user's");
  const ChildOutput cleaned = job.run({"clean"});
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_EQ(objects_left(job), 0);
  EXPECT_TRUE(fs::exists(job.results() / "mine.txt"));
  EXPECT_FALSE(fs::exists(job.results() / ".runs"));
}

// A cloud of its own process.
class OwnCloud {
 public:
  explicit OwnCloud(const ScratchJob& job, const std::string& folder = "cloud") {
    thread_ = std::jthread([&job, folder] {
      job.run({"emulate", "--folder", folder}, "exec >environment; echo CLOUD=$$");
    });
    EXPECT_TRUE(soon([&] {
      std::istringstream lines(read_file(job.folder() / "environment").value_or(""));
      for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("export ")) line.erase(0, 7);
        environment_[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
      }
      return environment_.contains("AWS_ENDPOINT_URL_LAMBDA");
    }));
  }
  ~OwnCloud() {
    ::kill(process(), SIGTERM);
    thread_.join();
  }
  pid_t process() { return std::atoi(environment_["CLOUD"].c_str()); }
  std::vector<std::string> endpoints() {
    return {"--platform.s3_endpoint", environment_["AWS_ENDPOINT_URL_S3"], "--platform.lambda_endpoint",
            environment_["AWS_ENDPOINT_URL_LAMBDA"]};
  }

 private:
  std::map<std::string, std::string> environment_;
  std::jthread thread_;
};

std::string functions_of(const ScratchJob& job) {
  std::string names;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator(job.folder() / "cloud/functions", status))
    if (fs::exists(entry.path() / "function.json")) names += entry.path().filename().string() + " ";
  return names;
}

TEST(OwnEndpoints, AStopEndsTheWorkersAndLeavesNothing) {
  const ScratchJob job("own_stop");
  OwnCloud cloud(job);
  LongRun run(job, cloud.endpoints(), ". ./environment");
  const auto before = std::chrono::steady_clock::now();
  run.kill(SIGTERM);
  run.kill(SIGTERM);  // as `timeout` does
  run.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(40));
  EXPECT_EQ(run.output.exit_code, 1) << "not 130: the second signal belongs to the first\n" << run.output.err;
  EXPECT_EQ(objects_left(job, "cloud"), 0);
  EXPECT_EQ(functions_of(job), "");
  EXPECT_TRUE(soon([&] { return job.instances().empty(); }, 10)) << "they have ended, and their functions are gone";
}

TEST(OwnEndpoints, AFailureEndsTheOtherWorkersWithinSeconds) {
  const ScratchJob job("own_failure");
  job.replace("wait_limit = 60", "wait_limit = 60\nrestarts = 0");
  OwnCloud cloud(job);
  LongRun run(job, cloud.endpoints(), ". ./environment");
  const auto before = std::chrono::steady_clock::now();
  ::kill(job.instances().front(), SIGKILL);
  run.join();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(40)) << "not the wait limit of 60 s";
  EXPECT_EQ(run.output.exit_code, 1);
  EXPECT_THAT(run.output.err, HasSubstr("signal: killed (its memory: at most "));
  EXPECT_THAT(run.output.err, Not(HasSubstr("ran out of memory:")));
  EXPECT_EQ(objects_left(job, "cloud"), 0);
  EXPECT_TRUE(soon([&] { return job.instances().empty(); }, 10));
}

TEST(OwnEndpoints, TheNextRunTakesOverFromOneThatWasKilled) {
  const ScratchJob job("own_killed");
  OwnCloud cloud(job);
  LongRun run(job, cloud.endpoints(), ". ./environment");
  run.kill(SIGKILL);
  run.join();
  EXPECT_EQ(job.instances().size(), 4u) << "they go on without it";
  EXPECT_NE(functions_of(job), "");
  std::vector<std::string> arguments = cloud.endpoints();
  arguments.insert(arguments.begin(), {"train", "job.toml"});
  const ChildOutput next = job.run(arguments, ". ./environment");
  EXPECT_EQ(next.exit_code, 0) << next.err;
  EXPECT_THAT(next.err, HasSubstr("took away what run tiny-"));
  EXPECT_TRUE(soon([&] { return job.instances().empty(); }, 20)) << "the former ones have seen the mark";
  const ChildOutput cleaned = job.run({"clean"}, ". ./environment");
  EXPECT_EQ(cleaned.exit_code, 0) << cleaned.err;
  EXPECT_EQ(objects_left(job, "cloud"), 0);
}

TEST(OwnEndpoints, AJobThatWentOnWithoutItsClientCanBeAssembled) {
  const ScratchJob job("own_went_on");
  ASSERT_EQ(job.run({"train", "job.toml"}).exit_code, 0);
  const std::string undisturbed = *read_file(job.results() / "state_dict.pt");
  fs::remove(job.results() / "state_dict.pt");
  OwnCloud cloud(job);
  std::vector<std::string> arguments = cloud.endpoints();
  arguments.insert(arguments.begin(), {"train", "job.toml", "--overwrite"});
  std::jthread run([&] { job.run(arguments, ". ./environment"); });
  ASSERT_TRUE(soon([&] { return job.instances().size() >= 4; }));
  const pid_t client = job.client("train");
  ASSERT_GT(client, 0);
  ::kill(client, SIGKILL);
  run.join();
  ChildOutput assembled;
  EXPECT_TRUE(soon([&] {
    assembled = job.run({"assemble", "runs/tiny"}, ". ./environment");
    return assembled.exit_code == 0;
  })) << assembled.err;
  EXPECT_TRUE(read_file(job.results() / "state_dict.pt").value_or("none") == undisturbed);
  EXPECT_EQ(objects_left(job, "cloud"), 0);
}

TEST(OwnFolder, ACloudThatRunsThereKeepsItsData) {
  const ScratchJob job("beside");
  OwnCloud cloud(job, "runs/tiny/cloud");
  job.write("runs/tiny/cloud/objects/mine/thing", "not even an object");
  job.write("runs/tiny/cloud/logs/funcpipe-mine/x.log", "a line");
  const ChildOutput train = job.run({"train", "job.toml"});
  EXPECT_EQ(train.exit_code, 1) << train.err;
  EXPECT_THAT(train.err, HasSubstr("another emulator is using this folder"));
  EXPECT_TRUE(fs::exists(job.folder() / "runs/tiny/cloud/objects/mine/thing"));
  EXPECT_TRUE(fs::exists(job.folder() / "runs/tiny/cloud/objects/.lock"));
  EXPECT_TRUE(fs::exists(job.folder() / "runs/tiny/cloud/logs/funcpipe-mine/x.log"));
}

TEST(WhoIsIll, IsTheWorkerThatWaitsForNobody) {
  const ScratchJob job("ill");
  LongRun run(job, {"--stages", "3", "--replicas", "1", "--training.wait_limit", "20"}, "true", 3);
  // The instance whose log has the last stage's name.
  pid_t last = 0;
  const auto find_last = [&] {
    for (const pid_t pid : job.instances()) {
      const std::string environment = read_file(fmt::format("/proc/{}/environ", pid)).value_or("");
      const std::size_t at = environment.find("AWS_LAMBDA_LOG_STREAM_NAME=");
      if (at == std::string::npos) continue;
      const std::string stream = environment.substr(at, environment.find('\0', at) - at);
      const std::string id = stream.substr(stream.rfind(']') + 1);
      std::error_code status;
      for (const fs::directory_entry& log : fs::recursive_directory_iterator(job.results() / "cloud/logs", status))
        if (log.path().stem() == id &&
            read_file(log.path()).value_or("").find("stage 2 replica 0") != std::string::npos)
          last = pid;
    }
    return last > 0;
  };
  ASSERT_TRUE(soon(find_last)) << "logs say which worker wrote them";
  ::kill(last, SIGSTOP);
  run.join();
  EXPECT_EQ(run.output.exit_code, 1);
  EXPECT_THAT(run.output.err, HasSubstr("funcpipe: stage 2 replica 0: stage "));
  EXPECT_THAT(run.output.err, HasSubstr("waits for stage 2 replica 0, which waits for nobody"));
  EXPECT_TRUE(job.nothing_runs());
}

TEST(Output, ThatCannotBeWrittenIsAnError) {
  const ScratchJob job("full");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"options"},
                                                    {"--help"},
                                                    {"--version"},
                                                    {"train", "--help"},
                                                    {"validate", "job.toml"},
                                                    {"validate", "job.toml", "--json"}}) {
    const ChildOutput output = job.run(arguments, "exec >/dev/full");
    EXPECT_EQ(output.exit_code, 1) << arguments.front();
    EXPECT_THAT(output.err, HasSubstr("standard output: cannot write"));
  }
}

TEST(Limits, OfOpenFilesAreNamedBeforeTheJobStarts) {
  const ScratchJob job("files");
  const ChildOutput few = job.run({"train", "job.toml"}, "ulimit -n 40");
  EXPECT_EQ(few.exit_code, 1);
  EXPECT_THAT(few.err, HasSubstr("the limit of open files (ulimit -n) is 40"));
  const ChildOutput too_few = job.run({"train", "job.toml"}, "ulimit -n 100");
  EXPECT_EQ(too_few.exit_code, 1);
  EXPECT_THAT(
      too_few.err,
      HasSubstr("the limit of open files (ulimit -n) is 100, and 4 workers and the embedded cloud may need 144"));
  EXPECT_TRUE(job.no_results());
  const ChildOutput enough = job.run({"train", "job.toml", "--training.steps", "2"}, "ulimit -Sn 40");
  EXPECT_EQ(enough.exit_code, 0) << "the soft limit is raised\n" << enough.err;
}

}  // namespace
}  // namespace funcpipe
