// Facts about processes, read from /proc; a process that has gone counts as nothing.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace funcpipe {

struct ProcessMemory {
  Bytes anonymous = 0;      // anonymous and shared memory: what cannot be dropped under pressure
  Bytes peak_resident = 0;  // high-water mark, mapped files included
};

ProcessMemory process_memory(pid_t pid);
Seconds process_cpu_time(pid_t pid);                     // user and system, all threads
std::optional<long long> process_start_time(pid_t pid);  // clock ticks since boot: tells a reused pid apart

struct ProcessEntry {
  pid_t pid = 0;
  pid_t group = 0;
  pid_t session = 0;
};

// Every process there is, zombies left out.
std::vector<ProcessEntry> list_processes();

}  // namespace funcpipe
