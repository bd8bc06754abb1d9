#include <algorithm>

#include "emulator/isolation/cgroup.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

class Cgroup2Sandbox final : public Sandbox {
 public:
  Cgroup2Sandbox(CgroupFolder group, const SandboxLimits& limits) : group_(std::move(group)), limits_(limits) {}
  ~Cgroup2Sandbox() override { kill(); }

  Result<> apply() {
    if (limits_.memory) {
      FUNCPIPE_TRY_VOID(group_.write("memory.max", std::to_string(*limits_.memory)));
      (void)group_.write("memory.swap.max", "0");   // exists only with swap accounting
      (void)group_.write("memory.oom.group", "1");  // since Linux 4.19
    }
    if (limits_.vcpus) {
      const CpuQuota quota = cpu_quota(*limits_.vcpus);
      FUNCPIPE_TRY_VOID(group_.write("cpu.max", fmt::format("{} {}", quota.quota_us, quota.period_us)));
    }
    return {};
  }

  std::vector<std::string> doors() const override { return {group_.path() / "cgroup.procs"}; }
  void started(pid_t) override {}
  std::vector<pid_t> processes() override { return group_.processes(); }
  std::optional<ControlWrite> last_write() const override { return ControlWrite{group_.path() / "cgroup.kill", "1"}; }
  void freeze() override { (void)group_.write("cgroup.freeze", "1"); }
  void thaw() override { (void)group_.write("cgroup.freeze", "0"); }
  void kill() override {
    if (!group_.write("cgroup.kill", "1")) group_.kill_all();  // since Linux 5.14
  }
  bool memory_exceeded() override { return group_.number("memory.events", "oom_kill").value_or(0) > 0; }
  Bytes peak_memory() override {
    const Bytes kernel_peak = group_.number("memory.peak").value_or(0);  // since Linux 5.19
    const Bytes now = peak_of(group_.processes(), kernel_peak, limits_.memory);
    if (limits_.memory && memory_exceeded()) return *limits_.memory;
    return peak_ = std::max(peak_, now);
  }

 private:
  CgroupFolder group_;
  SandboxLimits limits_;
  Bytes peak_ = 0;
};

class Cgroup2Isolation final : public Isolation {
 public:
  explicit Cgroup2Isolation(CgroupFolder folder) : folder_(std::move(folder)) {}

  Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const SandboxLimits& limits) override {
    FUNCPIPE_TRY(group, CgroupFolder::make(folder_.path() / name, remover_));
    auto sandbox = std::make_unique<Cgroup2Sandbox>(std::move(group), limits);
    FUNCPIPE_TRY_VOID(sandbox->apply());
    return sandbox;
  }
  std::string describe() const override { return fmt::format("cgroup v2 in {}", folder_.path().string()); }

 private:
  CgroupFolder folder_;                                                       // is destroyed after the groups in it
  std::shared_ptr<GroupRemover> remover_ = std::make_shared<GroupRemover>();  // shared with the sandboxes
};

// Makes a folder in `parent` whose groups have the controllers and may be entered.
Result<CgroupFolder> usable_folder(const fs::path& parent, bool controllers) {
  FUNCPIPE_TRY(folder, make_emulator_cgroup(parent));
  if (controllers) FUNCPIPE_TRY_VOID(folder.write("cgroup.subtree_control", "+memory +cpu"));
  FUNCPIPE_TRY(probe, CgroupFolder::make(folder.path() / "probe"));
  if (!can_enter(probe))
    return fail(ErrorCode::permission_denied, fmt::format("no process may enter {}", probe.path().string()));
  return folder;
}

}  // namespace

// In v2 a group that contains processes cannot give controllers to groups below it, so the emulator's own group seldom
// can. The nearest ancestor that can is used: a systemd slice, a delegated user service, or the root.
Result<std::unique_ptr<Isolation>> make_cgroup2_isolation(bool controllers) {
  const auto own = own_cgroup("");
  if (!own) return fail(ErrorCode::permission_denied, "no cgroup2 hierarchy is mounted");
  std::optional<Error> first_error;
  std::error_code status;
  for (fs::path parent = *own; fs::exists(parent / "cgroup.procs", status); parent = parent.parent_path()) {
    auto folder = usable_folder(parent, controllers);
    if (folder) return std::make_unique<Cgroup2Isolation>(std::move(*folder));
    if (!first_error) first_error = folder.error();
  }
  if (!first_error) return fail(ErrorCode::permission_denied, "the group is not visible", own->string());
  return tl::unexpected<Error>(*first_error);
}

}  // namespace funcpipe
