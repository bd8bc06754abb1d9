// How many open files, processes and threads the system allows this process. Linux only. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace funcpipe {

// Returns how many files this process may have open (the soft limit); 0 if the system does not say.
std::uint64_t open_file_limit();

// Raises the soft limit of open files to the hard limit and returns the limit that holds then. Programs that this
// process starts later inherit it.
std::uint64_t raise_open_file_limit();

// A limit of processes and threads that holds for this process: the user's or that of a control group.
struct ProcessLimit {
  std::string name;  // "the user's limit of processes (ulimit -u)"
  std::int64_t most = 0;
  std::int64_t used = 0;
  std::string way_out;  // What the user can do about it, for Error::hint.
};
// Returns the limit with the fewest processes left; nullopt if none holds.
std::optional<ProcessLimit> process_limit();

// Check that `needed` open files, or `needed` further processes and threads, are within the limits. `what` names who
// needs them, for example "4 workers". Error: exhausted, which names the limit, its value and the need.
Result<> check_open_files(std::int64_t needed, const std::string& what);
Result<> check_processes(std::int64_t needed, const std::string& what);

// Returns the error for a thread or process that the system refused to start (EAGAIN).
Error no_process(std::string place);

}  // namespace funcpipe
