#include <algorithm>

#include "emulator/isolation/cgroup.h"

namespace funcpipe {
namespace {

struct Groups {
  CgroupFolder memory, cpu, freezer;
};

class Cgroup1Sandbox final : public Sandbox {
 public:
  Cgroup1Sandbox(Groups groups, const SandboxLimits& limits) : groups_(std::move(groups)), limits_(limits) {}
  ~Cgroup1Sandbox() override { kill(); }

  Result<> apply() {
    if (limits_.memory) {
      const std::string bytes = std::to_string(*limits_.memory);
      FUNCPIPE_TRY_VOID(groups_.memory.write("memory.limit_in_bytes", bytes));
      (void)groups_.memory.write("memory.memsw.limit_in_bytes", bytes);  // exists only with swap accounting
    }
    if (limits_.vcpus) {
      const CpuQuota quota = cpu_quota(*limits_.vcpus);
      FUNCPIPE_TRY_VOID(groups_.cpu.write("cpu.cfs_period_us", std::to_string(quota.period_us)));
      FUNCPIPE_TRY_VOID(groups_.cpu.write("cpu.cfs_quota_us", std::to_string(quota.quota_us)));
    }
    return {};
  }

  std::vector<std::string> doors() const override {
    std::vector<std::string> files;
    for (const auto* group : {&groups_.memory, &groups_.cpu, &groups_.freezer})
      files.push_back(group->path() / "cgroup.procs");
    return files;
  }
  void started(pid_t) override {}
  std::vector<pid_t> processes() override { return groups_.freezer.processes(); }
  std::optional<ControlWrite> last_write() const override {
    return ControlWrite{groups_.freezer.path() / "freezer.state", "THAWED"};
  }
  void freeze() override { (void)groups_.freezer.write("freezer.state", "FROZEN"); }
  void thaw() override { (void)groups_.freezer.write("freezer.state", "THAWED"); }
  void kill() override { groups_.freezer.kill_all(); }
  bool memory_exceeded() override { return groups_.memory.number("memory.oom_control", "oom_kill").value_or(0) > 0; }
  Bytes peak_memory() override {
    const Bytes kernel_peak = groups_.memory.number("memory.max_usage_in_bytes").value_or(0);
    const Bytes now = peak_of(groups_.freezer.processes(), kernel_peak, limits_.memory);
    if (limits_.memory && memory_exceeded()) return *limits_.memory;
    return peak_ = std::max(peak_, now);
  }

 private:
  Groups groups_;
  SandboxLimits limits_;
  Bytes peak_ = 0;
};

class Cgroup1Isolation final : public Isolation {
 public:
  explicit Cgroup1Isolation(Groups groups) : groups_(std::move(groups)) {}

  Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const SandboxLimits& limits) override {
    FUNCPIPE_TRY(memory, CgroupFolder::make(groups_.memory.path() / name, remover_));
    FUNCPIPE_TRY(cpu, CgroupFolder::make(groups_.cpu.path() / name, remover_));
    FUNCPIPE_TRY(freezer, CgroupFolder::make(groups_.freezer.path() / name, remover_));
    auto sandbox =
        std::make_unique<Cgroup1Sandbox>(Groups{std::move(memory), std::move(cpu), std::move(freezer)}, limits);
    FUNCPIPE_TRY_VOID(sandbox->apply());
    return sandbox;
  }
  std::string describe() const override {
    return fmt::format("cgroup v1 (memory, cpu, freezer) in {}", groups_.memory.path().string());
  }

 private:
  Groups groups_;                                                             // is destroyed after the groups in it
  std::shared_ptr<GroupRemover> remover_ = std::make_shared<GroupRemover>();  // shared with the sandboxes
};

Result<CgroupFolder> usable_folder(const std::string& controller) {
  const auto parent = own_cgroup(controller);
  if (!parent) return fail(ErrorCode::permission_denied, fmt::format("no {} hierarchy is mounted", controller));
  FUNCPIPE_TRY(folder, make_emulator_cgroup(*parent));
  if (!can_enter(folder))
    return fail(ErrorCode::permission_denied, fmt::format("no process may enter {}", folder.path().string()));
  return folder;
}

}  // namespace

Result<std::unique_ptr<Isolation>> make_cgroup1_isolation() {
  FUNCPIPE_TRY(memory, usable_folder("memory"));
  FUNCPIPE_TRY(cpu, usable_folder("cpu"));
  FUNCPIPE_TRY(freezer, usable_folder("freezer"));
  return std::make_unique<Cgroup1Isolation>(Groups{std::move(memory), std::move(cpu), std::move(freezer)});
}

}  // namespace funcpipe
