#include "emulator/isolation/processes.h"

#include <dirent.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace funcpipe {
namespace {

// Reads a file of /proc at once, without streams, because the fallback's watcher does it many times a second.
std::string slurp(const std::string& path) {
  std::string content;
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return content;
  content.resize(4096);
  const ssize_t size = ::read(file, content.data(), content.size());
  ::close(file);
  content.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return content;
}

Bytes kilobytes_after(std::string_view status, std::string_view label) {
  const auto at = status.find(label);
  if (at == std::string_view::npos) return 0;
  return std::strtoll(status.data() + at + label.size(), nullptr, 10) * kKiB;
}

// The fields of /proc/PID/stat after the command; [0] is the state. The command is in parentheses and may contain
// anything.
std::vector<std::string_view> stat_fields(std::string_view stat) {
  std::vector<std::string_view> fields;
  auto at = stat.rfind(')');
  if (at == std::string_view::npos) return fields;
  for (at += 2; at < stat.size();) {
    const auto end = std::min(stat.find(' ', at), stat.size());
    fields.push_back(stat.substr(at, end - at));
    at = end + 1;
  }
  return fields;
}

long long number(std::string_view text) {
  long long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

ProcessMemory process_memory(pid_t pid) {
  const std::string status = slurp("/proc/" + std::to_string(pid) + "/status");
  return {.anonymous = kilobytes_after(status, "RssAnon:") + kilobytes_after(status, "RssShmem:"),
          .peak_resident = kilobytes_after(status, "VmHWM:")};
}

Seconds process_cpu_time(pid_t pid) {
  clockid_t clock;
  timespec used;
  if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return static_cast<Seconds>(used.tv_sec) + 1e-9 * static_cast<Seconds>(used.tv_nsec);
}

std::optional<long long> process_start_time(pid_t pid) {
  const std::string stat = slurp("/proc/" + std::to_string(pid) + "/stat");
  const auto fields = stat_fields(stat);
  if (fields.size() < 20 || fields[0] == "Z") return std::nullopt;
  return number(fields[19]);
}

std::vector<ProcessEntry> list_processes() {
  std::vector<ProcessEntry> processes;
  DIR* proc = ::opendir("/proc");
  if (!proc) return processes;
  while (const dirent* entry = ::readdir(proc)) {
    const auto pid = static_cast<pid_t>(number(entry->d_name));
    if (pid <= 0) continue;
    const std::string stat = slurp(std::string("/proc/") + entry->d_name + "/stat");
    const auto fields = stat_fields(stat);
    if (fields.size() < 4 || fields[0] == "Z" || fields[0] == "X") continue;
    processes.push_back({pid, static_cast<pid_t>(number(fields[2])), static_cast<pid_t>(number(fields[3]))});
  }
  ::closedir(proc);
  return processes;
}

}  // namespace funcpipe
