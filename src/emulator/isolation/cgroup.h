// Isolation by the kernel's control groups. An emulator has one folder of groups, below its own group so that any limit
// set on the emulator still holds; each sandbox is a group in it. Folders of emulators that no longer run are removed,
// with whatever still lives in them, when the next one starts.
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

// Errors: permission_denied, with the reason, where the hierarchies are missing or may not be written to.
Result<std::unique_ptr<Isolation>> make_cgroup1_isolation();  // hierarchies memory, cpu and freezer
// `controllers` false: groups for freezing and killing only, which needs no controller (sandboxes must be unlimited).
Result<std::unique_ptr<Isolation>> make_cgroup2_isolation(bool controllers = true);

// Removes groups whose killed processes have yet to leave, on a thread of its own: others need not wait for that.
class GroupRemover {
 public:
  GroupRemover();
  ~GroupRemover();  // removes what is left, for two seconds at most
  void remove(std::filesystem::path group);

 private:
  void run();
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::filesystem::path> groups_;
  bool stopped_ = false;
  std::thread thread_;
};

// A group in one hierarchy, made and removed with the object: by the remover if there is one, else at once, which may
// take 200 ms.
class CgroupFolder {
 public:
  static Result<CgroupFolder> make(std::filesystem::path path, std::shared_ptr<GroupRemover> remover = nullptr);
  CgroupFolder(CgroupFolder&& other) noexcept;
  CgroupFolder& operator=(CgroupFolder&& other) noexcept;
  ~CgroupFolder();

  const std::filesystem::path& path() const { return path_; }
  Result<> write(const std::string& file, const std::string& value) const;
  std::string read(const std::string& file) const;  // empty if it cannot be read
  // The number after `label` in a control file of "label value" lines, or the file's only number with no label.
  std::optional<long long> number(const std::string& file, const std::string& label = {}) const;
  std::vector<pid_t> processes() const;
  void kill_all() const;

 private:
  CgroupFolder(std::filesystem::path path, std::shared_ptr<GroupRemover> remover)
      : path_(std::move(path)), remover_(std::move(remover)) {}
  void remove();
  std::filesystem::path path_;
  std::shared_ptr<GroupRemover> remover_;  // shared with the isolation's other groups
};

// This process's group in the hierarchy of `controller` ("" for v2), as a path below its mount point; nullopt if it is
// not mounted.
std::optional<std::filesystem::path> own_cgroup(const std::string& controller);

// Makes this emulator's folder below `parent`, after removing those of dead emulators there.
Result<CgroupFolder> make_emulator_cgroup(const std::filesystem::path& parent);

// Whether a child process can enter the group; the answer decides which mechanism is used.
bool can_enter(const CgroupFolder& folder);

struct CpuQuota {
  long long quota_us = 0;
  long long period_us = 0;
};

// 20 ms periods, as Lambda has them, or longer where the kernel's smallest quota (1 ms) asks for it.
CpuQuota cpu_quota(double vcpus);

// Sum of the processes' peaks, and `at_least` (0 if unknown) once they are gone; at most `limit`.
Bytes peak_of(const std::vector<pid_t>& processes, Bytes at_least, std::optional<Bytes> limit);

}  // namespace funcpipe
