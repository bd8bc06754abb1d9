// A child process that kills the instances if the emulator itself is killed. The parent-death signal alone is not
// enough: it reaches neither an instance's own children nor, under cgroup v1, frozen processes.
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
  ~InstanceGuardian();                                       // the child kills what is still watched, then ends

  InstanceGuardian(const InstanceGuardian&) = delete;
  InstanceGuardian& operator=(const InstanceGuardian&) = delete;

  // `leader` must lead a process group. After the group is killed, `last_write` is carried out.
  void watch(pid_t leader, const std::optional<ControlWrite>& last_write);
  void forget(pid_t leader);

 private:
  InstanceGuardian(pid_t child, int pipe) : child_(child), pipe_(pipe) {}
  pid_t child_;
  int pipe_;  // the kernel closes it when the emulator dies, which tells the child to act
};

}  // namespace funcpipe
