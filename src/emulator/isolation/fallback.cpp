#include "emulator/isolation/fallback.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "emulator/isolation/processes.h"

namespace funcpipe {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{10};  // how often the processor share is checked
constexpr int kTicksPerMemorySample = 2;        // memory is checked every 20 ms
constexpr int kTicksPerProcessScan = 20;        // the sandbox's processes are listed every 200 ms
constexpr Seconds kBurst = 0.05;                // seconds of unused share that may be caught up with

class FallbackIsolation;

class FallbackSandbox final : public Sandbox {
 public:
  FallbackSandbox(FallbackIsolation& isolation, const SandboxLimits& limits);
  ~FallbackSandbox() override;

  std::vector<std::string> doors() const override { return {}; }
  void started(pid_t leader) override {
    leader_ = leader;
    last_tick_ = SteadyClock::now();
    scan();
  }

  std::vector<pid_t> processes() override {
    if (leader_ != 0) scan();
    return processes_;
  }
  std::optional<ControlWrite> last_write() const override { return std::nullopt; }

  void freeze() override {
    if (frozen_ || leader_ == 0) return;
    scan();
    sample_memory();
    frozen_ = true;
    signal_groups(SIGSTOP);
  }
  void thaw() override {
    if (!frozen_ || leader_ == 0) return;
    frozen_ = throttled_ = false;
    last_tick_ = SteadyClock::now();
    signal_groups(SIGCONT);
  }
  void kill() override {
    if (leader_ == 0) return;
    scan();
    signal_groups(SIGKILL);
  }

  bool memory_exceeded() override { return exceeded_; }
  Bytes peak_memory() override {
    if (leader_ != 0 && !frozen_) {
      scan();
      sample_memory();
    }
    if (exceeded_) return *limits_.memory;
    return limits_.memory ? std::min(peak_, *limits_.memory) : peak_;
  }

  void tick(int number) {
    if (leader_ == 0 || frozen_) return;
    if (number % kTicksPerProcessScan == 0) scan();
    if (number % kTicksPerMemorySample == 0 && limits_.memory) sample_memory();
    if (limits_.vcpus && *limits_.vcpus < std::thread::hardware_concurrency()) share_processor();
  }

 private:
  void scan() {
    processes_.clear();
    groups_.clear();
    for (const auto& process : list_processes())
      if (process.session == leader_ || process.group == leader_) {
        processes_.push_back(process.pid);
        groups_.insert(process.group);
      }
    std::erase_if(used_,
                  [&](const auto& entry) { return std::ranges::find(processes_, entry.first) == processes_.end(); });
  }

  void sample_memory() {
    Bytes anonymous = 0, peak = 0;
    for (const pid_t pid : processes_) {
      const ProcessMemory memory = process_memory(pid);
      anonymous += memory.anonymous;
      peak += memory.peak_resident;
    }
    peak_ = std::max(peak_, peak);
    if (!limits_.memory || anonymous <= *limits_.memory || exceeded_) return;
    exceeded_ = true;
    kill();
  }

  void share_processor() {
    const auto now = SteadyClock::now();
    const Seconds passed = std::chrono::duration<Seconds>(now - last_tick_).count();
    last_tick_ = now;
    allowance_ = std::min(allowance_ + *limits_.vcpus * passed, *limits_.vcpus * kBurst);
    for (const pid_t pid : processes_) {
      const Seconds used = process_cpu_time(pid);
      Seconds& before = used_[pid];
      allowance_ -= std::max(0.0, used - before);
      before = std::max(before, used);
    }
    const bool throttle = allowance_ < 0;
    if (throttle == throttled_) return;
    throttled_ = throttle;
    signal_groups(throttled_ ? SIGSTOP : SIGCONT);
  }

  void signal_groups(int signal) {
    for (const pid_t group : groups_)
      if (group > 1) ::kill(-group, signal);
  }

  FallbackIsolation& isolation_;
  SandboxLimits limits_;
  pid_t leader_ = 0;
  bool frozen_ = false, throttled_ = false, exceeded_ = false;
  Bytes peak_ = 0;
  Seconds allowance_ = 0;  // processor seconds it may use now; negative: it is stopped
  SteadyClock::time_point last_tick_;
  std::vector<pid_t> processes_;
  std::set<pid_t> groups_;
  std::map<pid_t, Seconds> used_;  // processor time of each process that was already charged
};

class FallbackIsolation final : public Isolation {
 public:
  FallbackIsolation(boost::asio::any_io_executor executor, std::string why) : timer_(executor), why_(std::move(why)) {}

  Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string&, const SandboxLimits& limits) override {
    return std::make_unique<FallbackSandbox>(*this, limits);
  }
  std::string describe() const override {
    return fmt::format("fallback: memory watched and vCPU share kept by stopping and continuing ({})", why_);
  }

  void add(FallbackSandbox* sandbox) {
    sandboxes_.insert(sandbox);
    if (sandboxes_.size() == 1) wait();
  }
  void remove(FallbackSandbox* sandbox) {
    sandboxes_.erase(sandbox);
    if (sandboxes_.empty()) timer_.cancel();
  }

 private:
  void wait() {
    timer_.expires_after(kTick);
    timer_.async_wait([this, alive = std::weak_ptr<const char>(alive_)](const boost::system::error_code& error) {
      if (error || alive.expired()) return;
      ++tick_;
      for (auto* sandbox : sandboxes_) sandbox->tick(tick_);
      wait();
    });
  }

  boost::asio::steady_timer timer_;
  std::string why_;
  std::set<FallbackSandbox*> sandboxes_;
  int tick_ = 0;
  // A wait that ends after this object is gone sees that it has expired.
  std::shared_ptr<const char> alive_ = std::make_shared<const char>();
};

// A sandbox without limits is not watched.
FallbackSandbox::FallbackSandbox(FallbackIsolation& isolation, const SandboxLimits& limits)
    : isolation_(isolation), limits_(limits) {
  if (limits_.memory || limits_.vcpus) isolation_.add(this);
}

FallbackSandbox::~FallbackSandbox() {
  isolation_.remove(this);
  kill();
}

}  // namespace

std::unique_ptr<Isolation> make_fallback_isolation(boost::asio::any_io_executor executor, const std::string& why) {
  return std::make_unique<FallbackIsolation>(std::move(executor), why);
}

}  // namespace funcpipe
