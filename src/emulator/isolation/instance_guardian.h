// A child process that outlives the emulator just long enough to kill the instances it leaves behind when it is killed
// itself. The parent-death signal alone reaches neither an instance's own children nor, under cgroup v1, frozen ones.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>

#include "base/error.h"
#include "emulator/isolation/isolation.h"

namespace funcpipe {

class InstanceGuardian {
 public:
  static Result<std::unique_ptr<InstanceGuardian>> start();  // errors: exhausted
  ~InstanceGuardian();                                       // the child kills what is still watched, and ends

  InstanceGuardian(const InstanceGuardian&) = delete;
  InstanceGuardian& operator=(const InstanceGuardian&) = delete;

  // `leader` leads a process group; `last_write` is done after its group was killed.
  void watch(pid_t leader, const std::optional<ControlWrite>& last_write);
  void forget(pid_t leader);

 private:
  InstanceGuardian(pid_t child, int pipe) : child_(child), pipe_(pipe) {}
  pid_t child_;
  int pipe_;  // closed by the kernel when the emulator dies: the child's cue
};

}  // namespace funcpipe
