// Facts about processes, read from /proc. For a process that is gone they are 0 or empty.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace funcpipe {

struct ProcessMemory {
  Bytes anonymous = 0;      // anonymous and shared memory, which the kernel cannot drop when memory is short
  Bytes peak_resident = 0;  // the largest resident memory so far, mapped files included
};

ProcessMemory process_memory(pid_t pid);
Seconds process_cpu_time(pid_t pid);  // user and system time of all threads
// Clock ticks since boot; tells two processes with the same pid apart.
std::optional<long long> process_start_time(pid_t pid);

struct ProcessEntry {
  pid_t pid = 0;
  pid_t group = 0;
  pid_t session = 0;
};

// Lists all processes but zombies.
std::vector<ProcessEntry> list_processes();

}  // namespace funcpipe
