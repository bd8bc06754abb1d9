#include "base/process_limits.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>
#include <utility>

#include "base/files.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

std::int64_t limit_value(rlim_t value) {
  return value == RLIM_INFINITY ? std::numeric_limits<std::int64_t>::max() : static_cast<std::int64_t>(value);
}

// Returns the number after `label` ("Threads:") in the text of /proc/PID/status; -1 if there is none.
std::int64_t status_number(const std::string& status, const char* label, int base = 10) {
  const std::size_t at = status.find(std::string("\n") + label);
  if (at == std::string::npos) return -1;
  const char* const digits = status.c_str() + at + 1 + std::char_traits<char>::length(label);
  return std::strtoll(digits, nullptr, base);
}

// The kernel does not apply RLIMIT_NPROC to processes with CAP_SYS_ADMIN (21) or CAP_SYS_RESOURCE (24), as root has.
bool is_exempt_from_user_limit() {
  constexpr int kAdministrator = 21, kResource = 24;
  const std::int64_t capabilities = status_number(read_file("/proc/self/status").value_or(""), "CapEff:", 16);
  return capabilities > 0 && ((capabilities >> kAdministrator | capabilities >> kResource) & 1) != 0;
}

std::int64_t threads_of_user() {
  std::int64_t threads = 0;
  std::error_code status;
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc", status)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string text = read_file(entry.path() / "status").value_or("");
    if (status_number(text, "Uid:") == static_cast<std::int64_t>(::getuid()))
      threads += std::max<std::int64_t>(0, status_number(text, "Threads:"));
  }
  return threads;
}

std::optional<std::int64_t> number_in(const fs::path& file) {
  const auto text = read_file(file);
  if (!text) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc()) return std::nullopt;  // "max"
  return number;
}

void keep_tighter(std::optional<ProcessLimit>& tightest, ProcessLimit limit) {
  if (!tightest || limit.most - limit.used < tightest->most - tightest->used) tightest = std::move(limit);
}

// Considers pids.max of the control group this process is in and of every group above it.
void add_group_limits(std::optional<ProcessLimit>& tightest) {
  std::istringstream lines(read_file("/proc/self/cgroup").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty() && controllers != "pids") continue;
    const fs::path root = controllers.empty() ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids";
    for (fs::path group = line.substr(second + 1); !group.empty(); group = group.parent_path()) {
      const fs::path folder = root / group.relative_path();
      const auto most = number_in(folder / "pids.max"), used = number_in(folder / "pids.current");
      if (most && used)
        keep_tighter(tightest,
                     {fmt::format("the control group's limit of processes ({})", (folder / "pids.max").string()), *most,
                      *used, "raise it, or run outside of that group"});
      if (group == group.parent_path()) break;
    }
  }
}

}  // namespace

std::uint64_t open_file_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

std::uint64_t raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  return open_file_limit();
}

std::optional<ProcessLimit> process_limit() {
  std::optional<ProcessLimit> tightest;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NPROC, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && !is_exempt_from_user_limit())
    tightest = ProcessLimit{"the user's limit of processes and threads (ulimit -u)", limit_value(limit.rlim_cur),
                            threads_of_user(), "raise it with ulimit -u, or use fewer workers"};
  add_group_limits(tightest);
  return tightest;
}

Result<> check_open_files(std::int64_t needed, const std::string& what) {
  const std::uint64_t most = open_file_limit();
  if (needed <= 0 || most >= static_cast<std::uint64_t>(needed)) return {};
  return fail(ErrorCode::exhausted,
              fmt::format("the limit of open files (ulimit -n) is {}, and {} may need {}", most, what, needed), {},
              fmt::format("raise it with ulimit -n {}, or use fewer workers", needed));
}

Result<> check_processes(std::int64_t needed, const std::string& what) {
  const auto limit = process_limit();
  if (!limit || limit->most - limit->used >= needed) return {};
  return fail(ErrorCode::exhausted,
              fmt::format("{} is {}, of which {} are in use, and {} may need {} more", limit->name, limit->most,
                          limit->used, what, needed),
              {}, limit->way_out);
}

Error no_process(std::string place) {
  const auto limit = process_limit();
  return {.code = ErrorCode::exhausted,
          .message = limit ? fmt::format("no further process or thread can be had: {} is {}, of which {} are in use",
                                         limit->name, limit->most, limit->used)
                           : std::string("no further process or thread can be had"),
          .place = std::move(place),
          .hint = limit ? limit->way_out : "use fewer workers, or a machine with more memory"};
}

}  // namespace funcpipe
