// Keeps a function instance to its share of the machine. There are three implementations: cgroup v1, cgroup v2
// (isolation/cgroup.h) and, where neither is writable, a watcher of /proc that sends signals (isolation/fallback.h).
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
  std::optional<Bytes> memory;  // bytes of anonymous memory of all its processes together
  std::optional<double> vcpus;  // processors of this machine; already divided by the dilation
};

// Contains the processes of one instance.
class Sandbox {
 public:
  virtual ~Sandbox() = default;  // kills what is still inside and removes what was set up for it

  // Control files to which a new process writes "0" before exec to enter the sandbox. There may be none.
  virtual std::vector<std::string> doors() const = 0;
  // Tells the sandbox which process was started in it. It must lead a session of its own.
  virtual void started(pid_t leader) = 0;
  // What must be written after SIGKILL so that frozen processes die, too. It is for the case that the emulator is
  // killed.
  virtual std::optional<ControlWrite> last_write() const = 0;

  virtual std::vector<pid_t> processes() = 0;  // the processes now inside

  virtual void freeze() = 0;  // gives the processes inside no processor time until thaw()
  virtual void thaw() = 0;
  virtual void kill() = 0;  // sends SIGKILL to everything inside, frozen or not

  // True once the memory limit was reached; at least one process inside is then killed.
  virtual bool memory_exceeded() = 0;
  // Peak of resident memory in bytes, at most the limit. The libraries of each process count in full, as if it had a
  // machine of its own.
  virtual Bytes peak_memory() = 0;
};

class Isolation {
 public:
  virtual ~Isolation() = default;
  // `name` must be unique among the living sandboxes and valid as a file name. Errors: exhausted, permission_denied.
  virtual Result<std::unique_ptr<Sandbox>> make_sandbox(const std::string& name, const SandboxLimits& limits) = 0;
  virtual std::string describe() const = 0;  // one line for people
};

enum class IsolationKind { automatic, cgroup, fallback };

// Reads FUNCPIPE_ISOLATION: "cgroup" or "fallback"; unset, empty or "auto" means automatic. Errors: invalid_input for
// anything else.
Result<IsolationKind> isolation_kind_from_environment();

// automatic: uses cgroups where they are writable, else the fallback. cgroup: permission_denied where they are not.
Result<std::unique_ptr<Isolation>> make_isolation(boost::asio::any_io_executor executor, IsolationKind kind);

}  // namespace funcpipe
