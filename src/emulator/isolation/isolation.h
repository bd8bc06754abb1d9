// What keeps a function instance to its share of the machine. Three implementations behind one seam: cgroup v1, cgroup
// v2 (isolation/cgroup.h) and, where neither may be written to, a watcher of /proc with signals (isolation/fallback.h).
// Everything here runs on the thread of the executor it was made with.
#pragma once

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

struct ControlWrite {
  std::string file, value;
};

struct SandboxLimits {
  std::optional<Bytes> memory;  // anonymous memory of all its processes together
  std::optional<double> vcpus;  // of this machine's processors, dilation already divided out
};

// Holds the processes of one instance.
class Sandbox {
 public:
  virtual ~Sandbox() = default;  // kills what is still inside and removes what was set up for it

  // Control files into which a new process writes "0" before exec to enter the sandbox; may be none.
  virtual std::vector<std::string> doors() const = 0;
  // Tells the sandbox which process, leader of a session of its own, has been started in it.
  virtual void started(pid_t leader) = 0;
  // What must be written, after SIGKILL, for frozen processes to die too, should the emulator itself be killed.
  virtual std::optional<ControlWrite> last_write() const = 0;

  virtual std::vector<pid_t> processes() = 0;  // those inside now

  virtual void freeze() = 0;  // no process inside gets any processor time until thaw()
  virtual void thaw() = 0;
  virtual void kill() = 0;  // SIGKILL to everything inside, frozen or not

  virtual bool memory_exceeded() = 0;  // the limit was hit: a process inside was, or all are being, killed
  // Largest resident memory so far, each process's libraries included as in a machine of its own; at most the limit.
  virtual Bytes peak_memory() = 0;
};

class Isolation {
 public:
  virtual ~Isolation() = default;
  // `name` is unique among the living sandboxes and fit for a file name. Errors: exhausted, permission_denied.
  virtual Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const SandboxLimits& limits) = 0;
  virtual std::string describe() const = 0;  // one line for people
};

enum class IsolationKind { automatic, cgroup, fallback };

// From FUNCPIPE_ISOLATION: "cgroup", "fallback"; unset or "auto" is automatic. Else invalid_input.
Result<IsolationKind> isolation_kind_from_environment();

// Automatic: cgroups where they may be used, else the fallback. cgroup: permission_denied where they may not.
Result<std::unique_ptr<Isolation>> make_isolation(boost::asio::any_io_executor executor, IsolationKind kind);

}  // namespace funcpipe
