// Isolation by the kernel's control groups. An emulator makes a folder of groups below its own group, so that limits
// set on the emulator still hold. Each sandbox is a group in that folder. The next start removes the folders of
// emulators that no longer run and kills what is left in them.
#pragma once

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "emulator/isolation/isolation.h"

namespace funcpipe {

// Errors: permission_denied, with the reason, if the hierarchies are missing or not writable.
Result<std::unique_ptr<Isolation>> make_cgroup1_isolation();  // hierarchies memory, cpu and freezer
// With `controllers` false the groups can only freeze and kill, which needs no controller; sandboxes must have no
// limits.
Result<std::unique_ptr<Isolation>> make_cgroup2_isolation(bool controllers = true);

// Removes groups whose killed processes have not left yet. It has a thread of its own, so nobody else waits for that.
class GroupRemover {
 public:
  GroupRemover();
  ~GroupRemover();  // tries to remove what is left, for at most two seconds
  void remove(std::filesystem::path group);

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::filesystem::path> groups_;
  bool stopped_ = false;
  std::thread thread_;
};

// A group in one hierarchy. make() creates it, the destructor removes it: through the remover if there is one,
// else by itself, which may take 200 ms.
class CgroupFolder {
 public:
  static Result<CgroupFolder> make(std::filesystem::path path, std::shared_ptr<GroupRemover> remover = nullptr);
  CgroupFolder(CgroupFolder&& other) noexcept;
  CgroupFolder& operator=(CgroupFolder&& other) noexcept;
  ~CgroupFolder();

  const std::filesystem::path& path() const { return path_; }
  Result<> write(const std::string& file, const std::string& value) const;
  std::string read(const std::string& file) const;  // empty if it cannot be read
  // Returns the number after `label` in a control file of lines "label value"; without a label, the file's only number.
  std::optional<long long> number(const std::string& file, const std::string& label = {}) const;
  std::vector<pid_t> processes() const;
  void kill_all() const;

 private:
  CgroupFolder(std::filesystem::path path, std::shared_ptr<GroupRemover> remover)
      : path_(std::move(path)), remover_(std::move(remover)) {}
  void remove();
  std::filesystem::path path_;
  std::shared_ptr<GroupRemover> remover_;  // shared with the other groups of this isolation
};

// Returns the path of this process's group in the hierarchy of `controller` ("" for v2), mount point included; nullopt
// if the hierarchy is not mounted.
std::optional<std::filesystem::path> own_cgroup(const std::string& controller);

// Makes this emulator's folder below `parent`. First removes the folders of dead emulators there.
Result<CgroupFolder> make_emulator_cgroup(const std::filesystem::path& parent);

// Tries whether a child process can enter the group. The answer decides which mechanism is used.
bool can_enter(const CgroupFolder& folder);

struct CpuQuota {
  long long quota_us = 0;
  long long period_us = 0;
};

// Returns a quota for periods of 20 ms, as on Lambda, or for longer ones if the quota would be below the kernel's
// minimum of 1 ms.
CpuQuota cpu_quota(double vcpus);

// Returns the sum of the processes' peaks of resident memory in bytes, at most `limit`. Once they are gone it is
// `at_least` (0: unknown).
Bytes peak_of(const std::vector<pid_t>& processes, Bytes at_least, std::optional<Bytes> limit);

}  // namespace funcpipe
