// What a person can get wrong, and what can go wrong around a job: the real program's message and exit code, no process
// left behind and no half result.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

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

void expect_clean_end(const ScratchJob& job, const ChildOutput& output, int exit_code,
                      const std::vector<std::string>& said) {
  EXPECT_EQ(output.exit_code, exit_code) << output.err;
  for (const std::string& text : said) EXPECT_THAT(output.err, HasSubstr(text));
  EXPECT_THAT(output.err, Not(HasSubstr("terminate called")));
  EXPECT_THAT(output.err, Not(HasSubstr("broken invariant")));
  EXPECT_THAT(output.err, Not(HasSubstr("C++ exception")));
  EXPECT_TRUE(job.nothing_runs());
  EXPECT_FALSE(fs::exists(job.results() / "cloud/objects"));
}

void expect_failure(const ScratchJob& job, const ChildOutput& output, int exit_code,
                    const std::vector<std::string>& said) {
  expect_clean_end(job, output, exit_code, said);
  EXPECT_TRUE(job.no_results());
}

struct Mistake {
  std::string name;
  std::function<void(const ScratchJob&)> make;
  std::vector<std::string> arguments;
  int exit_code;
  std::vector<std::string> said;
};

void PrintTo(const Mistake& mistake, std::ostream* out) {
  *out << mistake.name;
}

void nothing(const ScratchJob&) {}

std::vector<Mistake> mistakes() {
  const auto replacing = [](const char* text, const char* by) {
    return [text, by](const ScratchJob& job) { job.replace(text, by); };
  };
  return {
      {"broken_toml", replacing("steps = 6", "steps = "), {"train", "job.toml"}, 2, {"job.toml:19", "not valid TOML"}},
      {"unknown_key",
       replacing("steps = 6", "stesp = 6"),
       {"train", "job.toml"},
       2,
       {"job.toml:19:1", "unknown key 'stesp'", "did you mean 'steps'?"}},
      {"unknown_section",
       replacing("[training]", "[trainign]"),
       {"train", "job.toml"},
       2,
       {"did you mean [training]?"}},
      {"unknown_override",
       nothing,
       {"train", "job.toml", "--training.stesp", "3"},
       2,
       {"--training.stesp", "did you mean 'steps'?"}},
      {"bad_override",
       nothing,
       {"train", "job.toml", "--training.steps", "many"},
       2,
       {"--training.steps", "a whole number"}},
      {"no_job_file", nothing, {"train", "other.toml"}, 2, {"other.toml", "No such file"}},
      {"two_job_files", nothing, {"train", "job.toml", "other.toml"}, 2, {"unexpected argument 'other.toml'"}},
      {"no_arguments", nothing, {"train"}, 2, {"JOB"}},
      {"unknown_command", nothing, {"trian", "job.toml"}, 2, {"no command 'trian'", "did you mean 'train'?"}},
      {"no_command", nothing, {}, 2, {"no command was given", "commands are train, validate"}},
      {"no_data_file", replacing("\"x.npy\"", "\"z.npy\""), {"train", "job.toml"}, 2, {"z.npy"}},
      {"data_not_npy", [](const ScratchJob& job) { job.write("x.npy", "hello"); }, {"train", "job.toml"}, 2, {"x.npy"}},
      {"data_of_another_shape",
       [](const ScratchJob& job) {
         job.write("x.npy", npy("|u1", {96, 1, 14, 14}, std::string(96 * 14 * 14, '\0')));
       },
       {"train", "job.toml"},
       2,
       {"14"}},
      {"fewer_targets",
       [](const ScratchJob& job) { job.write("y.npy", npy("|u1", {95}, std::string(95, '\0'))); },
       {"train", "job.toml"},
       2,
       {"95", "96"}},
      {"targets_of_another_shape",
       [](const ScratchJob& job) {
         job.write("y.npy", npy("|u1", {96, 3}, std::string(96 * 3, '\0')));
       },
       {"train", "job.toml"},
       2,
       {"y.npy", "[3]"}},
      {"class_the_model_does_not_have",
       [](const ScratchJob& job) { job.write("y.npy", npy("|u1", {96}, std::string(95, '\3') + '\12')); },
       {"validate", "job.toml"},
       2,
       {"y.npy", "row 95 is class 10", "10 classes"}},
      {"own_loss_not_declared",
       [](const ScratchJob& job) {
         job.replace("zoo:fashion-cnn?width=2", "net.pt");
         // A file: scripting reads the source.
         job.write("save.py",
                   "import torch\n"
                   "class Net(torch.nn.Module):\n"
                   "    def __init__(self):\n"
                   "        super().__init__()\n"
                   "        self.layer = torch.nn.Linear(784, 10)\n"
                   "    def forward(self, x, y):\n"
                   "        x = self.layer(x.float().flatten(1))\n"
                   "        return torch.nn.functional.cross_entropy(x, y)\n"
                   "torch.jit.script(Net()).save('net.pt')\n");
         const auto saved =
             run_child("/bin/sh", {"-c", fmt::format("cd '{}' && /usr/bin/python3 save.py", job.folder().string())});
         ASSERT_TRUE(saved) << describe(saved.error());
         ASSERT_EQ(saved->exit_code, 0) << saved->err;
       },
       {"validate", "job.toml"},
       2,
       {"net.pt", "set loss = \"model\" in [model]"}},
      {"unknown_zoo_model",
       replacing("zoo:fashion-cnn?width=2", "zoo:fashion-cn"),
       {"train", "job.toml"},
       2,
       {"fashion-cnn"}},
      {"no_model_file", replacing("zoo:fashion-cnn?width=2", "net.pt"), {"train", "job.toml"}, 2, {"net.pt"}},
      {"model_not_torchscript",
       [](const ScratchJob& job) {
         job.replace("zoo:fashion-cnn?width=2", "net.pt");
         job.write("net.pt", "not a zip at all");
       },
       {"train", "job.toml"},
       2,
       {"net.pt", "TorchScript"}},
      {"plan_for_another_model",
       [](const ScratchJob& job) {
         job.write("plan.json", R"({"version": 1, "model": "zoo:fashion-cnn", "fingerprint": "",
             "stages": [{"first_layer": 0, "end_layer": 1, "memory_mb": 1024},
                        {"first_layer": 1, "end_layer": 99, "memory_mb": 1024}],
             "replicas": 2, "global_batch": 16, "micro_batch": 4, "order": "gpipe", "sync": "pipelined"})");
         job.replace("stages = 2", "plan = \"plan.json\"\nstages = 2");
       },
       {"train", "job.toml"},
       2,
       {"plan.json", "layer 99"}},
      {"plan_and_stages_that_differ",
       [](const ScratchJob& job) {
         job.write("plan.json", R"({"version": 1, "model": "zoo:fashion-cnn", "stages": [
             {"first_layer": 0, "end_layer": 1}, {"first_layer": 1, "end_layer": 7}],
             "replicas": 2, "global_batch": 16, "micro_batch": 4})");
         job.replace("stages = 2", "plan = \"plan.json\"");
       },
       {"validate", "job.toml", "--stages", "3"},
       2,
       {"--stages", "parallelism.stages is 3", "2 in the plan plan.json", "--parallelism.plan \"\""}},
      {"too_little_memory",
       nothing,
       {"train", "job.toml", "--emulate", "aws-lambda", "--platform.memory_mb", "128"},
       2,
       {"128"}},
      {"too_many_stages", nothing, {"train", "job.toml", "--stages", "50"}, 2, {"50"}},
      {"too_many_replicas", nothing, {"train", "job.toml", "--replicas", "5"}, 2, {"replicas"}},
      {"unknown_platform", nothing, {"train", "job.toml", "--emulate", "aws-lamda"}, 2, {"aws-lambda"}},
      {"no_place_for_results", nothing, {"train", "job.toml", "--job.folder", "/proc/nowhere"}, 1, {"/proc/nowhere"}},
      {"endpoint_that_does_not_answer",
       nothing,
       {"train", "job.toml", "--platform.s3_endpoint", "http://127.0.0.1:1", "--platform.lambda_endpoint",
        "http://127.0.0.1:1"},
       1,
       {"127.0.0.1:1"}},
  };
}

class BadInput : public ::testing::TestWithParam<Mistake> {};

TEST_P(BadInput, IsExplained) {
  const Mistake& mistake = GetParam();
  const ScratchJob job(mistake.name);
  mistake.make(job);
  const ChildOutput output = job.run(mistake.arguments, "export AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b");
  expect_failure(job, output, mistake.exit_code, mistake.said);
}

INSTANTIATE_TEST_SUITE_P(All, BadInput, ::testing::ValuesIn(mistakes()),
                         [](const auto& test) { return test.param.name; });

TEST(BadPlace, AMissingWorkerProgramIsNamed) {
  const ScratchJob job("no_worker");
  expect_failure(job, job.run({"train", "job.toml"}, "export FUNCPIPE_WORKER=/nonexistent/worker"), 1,
                 {"/nonexistent/worker", "./dev build"});
}

TEST(BadPlace, APortInUseIsNamed) {
  const ScratchJob job("port");
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listener, 1), 0);
  ASSERT_EQ(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const std::string port = std::to_string(::ntohs(address.sin_port));
  const ChildOutput output = job.run({"emulate", "--s3-port", port});
  ::close(listener);
  expect_failure(job, output, 1, {port});
}

TEST(BadPlace, AFullDiskEndsTheJobWithoutHalfAResult) {
  const ScratchJob job("disk");
  job.write("runs/tiny/model.pt", "the former result");
  // No file may grow beyond 16 KiB: the data set is larger.
  const ChildOutput output = job.run({"train", "job.toml"}, "ulimit -f 32");
  EXPECT_EQ(output.exit_code, 1) << output.err;
  EXPECT_THAT(output.err, HasSubstr("funcpipe: "));
  EXPECT_TRUE(job.nothing_runs());
  EXPECT_EQ(*read_file(job.results() / "model.pt"), "the former result");
  EXPECT_FALSE(fs::exists(job.results() / ".partial"));
}

// Runs a long job, does `act` once its workers run, and gives what the program said and how long it went on.
struct Disturbed {
  ChildOutput output;
  double seconds_after = 0;
};
Disturbed disturb(const ScratchJob& job, const std::function<void()>& act) {
  Disturbed disturbed;
  std::jthread run([&] { disturbed.output = job.run({"train", "job.toml", "--training.steps", "100000"}); });
  for (int i = 0; i < 600 && !fs::exists(job.folder() / "runs/tiny/cloud/logs"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  for (int i = 0; i < 600 && job.instances().size() < 4; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(job.instances().size(), 4u);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  const auto before = std::chrono::steady_clock::now();
  act();
  run.join();
  disturbed.seconds_after = std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  return disturbed;
}

pid_t program_of(const ScratchJob& job) {
  for (const pid_t pid : job.processes()) {
    std::error_code status;
    if (fs::read_symlink(fmt::format("/proc/{}/exe", pid), status) == fs::canonical(FUNCPIPE_BINARY) &&
        fs::read_symlink(fmt::format("/proc/{}/cwd", pid), status) == job.folder())
      return pid;
  }
  return 0;
}

TEST(Disturbed, AKilledWorkerIsTheNamedCause) {
  const ScratchJob job("killed_worker");
  job.replace("wait_limit = 60", "wait_limit = 60\nrestarts = 0");
  const Disturbed disturbed = disturb(job, [&] { ::kill(job.instances().front(), SIGKILL); });
  expect_failure(job, disturbed.output, 1, {"replica", "killed (its memory: at most", "somebody killed it"});
  EXPECT_LT(disturbed.seconds_after, 20) << "nobody waited for the dead worker";
}

TEST(Disturbed, CtrlCStopsCleanly) {
  const ScratchJob job("ctrl_c");
  const Disturbed disturbed = disturb(job, [&] {
    const pid_t program = program_of(job);
    ASSERT_GT(program, 0);
    ::kill(program, SIGINT);
  });
  expect_failure(job, disturbed.output, 1,
                 {"stopping", "stopped; no result was written; the functions' logs are in runs/tiny/cloud/logs"});
  EXPECT_LT(disturbed.seconds_after, 15);
}

// A cloud of its own process, which dies while a job runs in it.
TEST(Disturbed, AKilledCloudIsNamedAndItsFunctionsDieWithIt) {
  const ScratchJob job("killed_cloud");
  std::jthread cloud([&] { job.run({"emulate", "--folder", "cloud"}, "exec >environment; echo CLOUD=$$"); });
  std::map<std::string, std::string> environment;
  for (int i = 0; i < 300 && !environment.contains("AWS_ENDPOINT_URL_LAMBDA"); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::istringstream lines(read_file(job.folder() / "environment").value_or(""));
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("export ")) line.erase(0, 7);
      environment[line.substr(0, line.find('='))] = line.substr(line.find('=') + 1);
    }
  }
  const pid_t cloud_process = std::atoi(environment["CLOUD"].c_str());
  ASSERT_GT(cloud_process, 0);
  const std::string s3 = environment["AWS_ENDPOINT_URL_S3"];
  ChildOutput output;
  std::jthread run([&] {
    output = job.run({"train", "job.toml", "--training.steps", "100000", "--platform.s3_endpoint", s3,
                      "--platform.lambda_endpoint", environment["AWS_ENDPOINT_URL_LAMBDA"]},
                     ". ./environment");
  });
  for (int i = 0; i < 600 && job.instances().size() < 4; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(job.instances().size(), 4u);
  ::kill(cloud_process, SIGKILL);
  cloud.join();
  run.join();
  expect_clean_end(job, output, 1,
                   {"cannot reach http://127.0.0.1:", "is the emulator still running?", "funcpipe clean runs/tiny"});
  // Its objects are out of reach, so the record of them is kept for `funcpipe clean`, and nothing else.
  for (const fs::directory_entry& entry : fs::directory_iterator(job.results()))
    EXPECT_EQ(entry.path().filename(), ".runs") << "no result, and no trace of one";
  EXPECT_FALSE(fs::is_empty(job.results() / ".runs"));
}

}  // namespace
}  // namespace funcpipe
