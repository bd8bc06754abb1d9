#include "emulator/isolation/isolation.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/files.h"
#include "emulator/isolation/cgroup.h"
#include "emulator/isolation/fallback.h"
#include "emulator/isolation/instance_process.h"
#include "emulator/isolation/processes.h"

namespace funcpipe {
namespace {
namespace fs = std::filesystem;

void run_for(boost::asio::io_context& context, Seconds seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < until) {
    context.restart();
    context.run_for(std::chrono::milliseconds(10));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// The mechanisms without limits: v2 needs no controller then, so that it is tried wherever its tree may be written to.
class Freezing : public testing::TestWithParam<const char*> {
 protected:
  Result<std::unique_ptr<Isolation>> make() {
    const std::string kind = GetParam();
    if (kind == "cgroup1") return make_cgroup1_isolation();
    if (kind == "cgroup2") return make_cgroup2_isolation(false);
    return make_fallback_isolation(context_.get_executor(), "tested");
  }
  boost::asio::io_context context_;
};

TEST_P(Freezing, StopsContinuesAndKills) {
  auto isolation = make();
  if (!isolation) GTEST_SKIP() << describe(isolation.error());
  std::string name = (fs::temp_directory_path() / "funcpipe-isolation-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  ASSERT_TRUE(write_file(folder / "spin", "#!/bin/sh\nwhile :; do :; done\n"));
  fs::permissions(folder / "spin", fs::perms::owner_all);

  auto sandbox = (*isolation)->make_sandbox("one", {});
  ASSERT_TRUE(sandbox) << describe(sandbox.error());
  const ProcessSpec spec{.program = folder / "spin", .folder = folder, .environment = {}, .doors = (*sandbox)->doors()};
  auto process = InstanceProcess::spawn(context_.get_executor(), spec);
  ASSERT_TRUE(process) << describe(process.error());
  const pid_t pid = (*process)->pid();
  run_for(context_, 0.3);
  (*sandbox)->started(pid);
  EXPECT_GT(process_cpu_time(pid), 0.0);

  (*sandbox)->freeze();
  run_for(context_, 0.2);
  const Seconds frozen = process_cpu_time(pid);
  run_for(context_, 0.5);
  EXPECT_LT(process_cpu_time(pid) - frozen, 0.02);
  (*sandbox)->thaw();
  run_for(context_, 1);
  EXPECT_GT(process_cpu_time(pid) - frozen, 0.03);

  EXPECT_GT((*sandbox)->peak_memory(), 100 * kKiB);
  (*sandbox)->freeze();
  (*sandbox)->kill();
  for (int i = 0; i < 500 && process_start_time(pid); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(process_start_time(pid));  // a zombie at most
  process->reset();
  const auto doors = (*sandbox)->doors();
  sandbox->reset();
  for (const auto& door : doors) EXPECT_FALSE(fs::exists(fs::path(door).parent_path())) << door;
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Freezing, testing::Values("cgroup1", "cgroup2", "fallback"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(Isolation, QuotaIsNeverBelowWhatTheKernelTakes) {
  EXPECT_EQ(cpu_quota(1).quota_us, cpu_quota(1).period_us);
  EXPECT_EQ(cpu_quota(0.5).quota_us * 2, cpu_quota(0.5).period_us);
  EXPECT_EQ(cpu_quota(3).quota_us, 3 * cpu_quota(3).period_us);
  EXPECT_GE(cpu_quota(0.0001).quota_us, 1000);
  EXPECT_LE(cpu_quota(0.0001).period_us, 1'000'000);
  EXPECT_NEAR(static_cast<double>(cpu_quota(0.02).quota_us) / static_cast<double>(cpu_quota(0.02).period_us), 0.02,
              0.001);
}

TEST(Isolation, KindComesFromTheEnvironment) {
  ::setenv("FUNCPIPE_ISOLATION", "fallback", 1);
  EXPECT_EQ(isolation_kind_from_environment(), IsolationKind::fallback);
  ::setenv("FUNCPIPE_ISOLATION", "docker", 1);
  ASSERT_FALSE(isolation_kind_from_environment());
  EXPECT_EQ(isolation_kind_from_environment().error().code, ErrorCode::invalid_input);
  ::unsetenv("FUNCPIPE_ISOLATION");
  EXPECT_EQ(isolation_kind_from_environment(), IsolationKind::automatic);
}

}  // namespace
}  // namespace funcpipe
