// What the system allows this process to have: open files, processes and threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"

namespace funcpipe {

// How many files this process may have open (the soft limit).
std::uint64_t open_file_limit();

// Raises that to the most its owner may ask for (the hard limit); returns what holds now. Programs started later
// inherit it.
std::uint64_t raise_open_file_limit();

// A limit of processes and threads that holds for this process, and how much of it is used.
struct ProcessLimit {
  std::string name;  // "the user's limit of processes (ulimit -u)"
  std::int64_t most = 0;
  std::int64_t used = 0;
  std::string way_out;
};
// The one with the least left; nullopt: there is none.
std::optional<ProcessLimit> process_limit();

// Errors: exhausted; which limit, what it is and how much is needed. `what`: whose need it is, "4 workers".
Result<> check_open_files(std::int64_t needed, const std::string& what);
Result<> check_processes(std::int64_t needed, const std::string& what);

// For a thread or process that the system refused (EAGAIN).
Error no_process(std::string place);

}  // namespace funcpipe
