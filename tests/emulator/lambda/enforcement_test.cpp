// What the platform enforces on instances, under each kind of isolation there is here.
#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>

#include "emulator/isolation/cgroup.h"
#include "emulator/isolation/processes.h"
#include "emulator/lambda/harness.h"

namespace funcpipe {
namespace {

using testing::HasSubstr;

bool wait_for_end(pid_t pid, Seconds limit = 20) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit);
  while (process_start_time(pid)) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::vector<pid_t> read_pids(const std::filesystem::path& file) {
  std::istringstream in(read_file(file).value_or(""));
  return {std::istream_iterator<pid_t>(in), {}};
}

class LambdaEnforcement : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ::setenv("FUNCPIPE_ISOLATION", GetParam(), 1);
    if (std::string(GetParam()) == "cgroup" && !make_isolation(boost::asio::system_executor(), IsolationKind::cgroup))
      GTEST_SKIP() << "control groups may not be used here";
  }
  void TearDown() override { ::unsetenv("FUNCPIPE_ISOLATION"); }
  TestFolder folder_;
};

TEST_P(LambdaEnforcement, SaysWhatIsActive) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_THAT(harness.server().isolation(), HasSubstr(GetParam()));
}

TEST_P(LambdaEnforcement, KillsWhatExceedsItsMemory) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service, memory=128)
answer, error, _ = invoke(service, {"op": "allocate", "mb": 60})
assert error is None and answer == {"mb": 60}, answer
pid = invoke(service, {})[0]["pid"]
answer, error, log = invoke(service, {"op": "allocate", "mb": 400})
assert error == "Unhandled" and answer["errorType"] == "Runtime.ExitError", answer
assert answer["errorMessage"].endswith("Error: Runtime exited with error: signal: killed"), answer
assert "Memory Size: 128 MB\tMax Memory Used: 128 MB" in log, log
wait_until(lambda: not running(pid))
assert invoke(service, {})[0]["count"] == 1
)");
}

TEST_P(LambdaEnforcement, ReportsThePeakMemory) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
import re
service = client()
create(service, memory=1024)
used = [int(re.search(r"Max Memory Used: (\d+) MB", invoke(service, event)[2])[1])
        for event in ({}, {"op": "allocate", "mb": 200}, {})]
assert 3 <= used[0] < 100 and 200 <= used[1] < 320 and used[2] == used[1], used
)");
}

TEST_P(LambdaEnforcement, FreezesBetweenInvocations) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service)
path = FOLDER + "/ticks"
def ticks():
    return os.path.getsize(path) if os.path.exists(path) else 0
def while_clock_ticks(count):
    """How often it ticked while a thread like it, of this process, did so `count` times."""
    before = ticks()
    for _ in range(count):
        time.sleep(0.005)
    return ticks() - before
def ticks_at_work(least):
    before = ticks()
    invoke(service, {"op": "wait_for_size", "path": path, "size": before + least})
invoke(service, {"op": "tick", "path": path})
ticks_at_work(3)
wait_until(lambda: while_clock_ticks(20) == 0)  # signals and freezers take their time on a busy machine
assert while_clock_ticks(200) == 0, "it ticks between invocations"
ticks_at_work(3)
)");
}

TEST_P(LambdaEnforcement, GivesTheVcpuShareAndNoMore) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service, "half", memory=512)    # 0.5 vCPU
create(service, "whole", memory=1024)  # more than there are processors for one thread
for name in ("half", "whole"):
    invoke(service, {}, name)
half = invoke(service, {"op": "spin", "seconds": 4}, "half")[0]["used"]
whole = invoke(service, {"op": "spin", "seconds": 4}, "whole")[0]["used"]
assert 0.1 < half < 4 * 0.5 * 1.25, half
assert whole > 0.2, whole  # how much depends on who else uses this machine
)");
}

TEST_P(LambdaEnforcement, DividesTheVcpuShareByTheDilation) {
  LambdaHarness harness(folder_.path(), test_platform(), 5);
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service, memory=512)
invoke(service, {})
used = invoke(service, {"op": "spin", "seconds": 5})[0]["used"]
assert 0.05 < used < 5 * 0.1 * 1.5, used
)");
}

TEST_P(LambdaEnforcement, LimitsNothingOnAnUnlimitedPlatform) {
  Platform platform = test_platform();
  platform.limited = platform.limit_memory = platform.limit_cpu = platform.limit_network = false;
  LambdaHarness harness(folder_.path(), platform);
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service, memory=128)
answer, error, log = invoke(service, {"op": "allocate", "mb": 250})
assert error is None and "Memory Size: 128 MB" in log, answer
)");
}

TEST_P(LambdaEnforcement, LeavesNoProcessBehindWhenStopped) {
  LambdaHarness harness(folder_.path(), test_platform());
  EXPECT_SCRIPT(harness, folder_.path(), R"(
service = client()
create(service)
pids = invoke(service, {"op": "child"})[0]
open(FOLDER + "/pids", "w").write(f"{pids['pid']} {pids['child']}")
)");
  const auto pids = read_pids(folder_.path() / "pids");
  ASSERT_EQ(pids.size(), 2u);
  for (const pid_t pid : pids) EXPECT_TRUE(process_start_time(pid));
  harness.stop();
  for (const pid_t pid : pids) EXPECT_TRUE(wait_for_end(pid)) << pid;
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "instances"));
}

TEST_P(LambdaEnforcement, LeavesNoProcessBehindWhenKilled) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  const pid_t emulator = ::fork();
  if (emulator == 0) {
    LambdaHarness harness(folder_.path(), test_platform());
    const std::string line = fmt::format("{} {} {}\n", harness.server().port(), harness.credentials().access_key_id,
                                         harness.credentials().secret_access_key);
    if (::write(pipe[1], line.data(), line.size()) != static_cast<ssize_t>(line.size())) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(pipe[1]);
  char buffer[512] = {};
  ASSERT_GT(::read(pipe[0], buffer, sizeof buffer - 1), 0);
  ::close(pipe[0]);
  std::istringstream line(buffer);
  int port = 0;
  Credentials credentials;
  line >> port >> credentials.access_key_id >> credentials.secret_access_key;
  // One that is frozen and one at work when the emulator dies, each with a child.
  const auto script = run_script(folder_.path(), port, credentials, R"(
service = client()
create(service)
create(service, "busy")
pids = [*invoke(service, {"op": "child"})[0].values(), *invoke(service, {"op": "child"}, "busy")[0].values()]
service.invoke(FunctionName="busy", InvocationType="Event", Payload=b'{"op": "sleep", "seconds": 300}')
time.sleep(1)
open(FOLDER + "/pids", "w").write(" ".join(map(str, pids)))
)");
  EXPECT_EQ(script.status, 0) << script.output;
  const auto pids = read_pids(folder_.path() / "pids");
  EXPECT_EQ(pids.size(), 4u);
  for (const pid_t pid : pids) EXPECT_TRUE(process_start_time(pid)) << pid;
  ::kill(emulator, SIGKILL);
  ::waitpid(emulator, nullptr, 0);
  for (const pid_t pid : pids) EXPECT_TRUE(wait_for_end(pid)) << pid;

  // The next start clears its control groups away.
  LambdaHarness next(folder_.path(), test_platform());
  for (const char* controller : {"memory", "cpu", "freezer"}) {
    const auto groups = own_cgroup(controller);
    if (!groups) continue;
    for (const auto& entry : std::filesystem::directory_iterator(*groups))
      EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr(fmt::format("-{}-", emulator))));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LambdaEnforcement, testing::Values("cgroup", "fallback"),
                         [](const auto& kind) { return std::string(kind.param); });

}  // namespace
}  // namespace funcpipe
