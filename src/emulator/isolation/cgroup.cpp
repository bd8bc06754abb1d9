#include "emulator/isolation/cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "base/files.h"
#include "emulator/isolation/processes.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

// Killed processes leave their group within milliseconds. A group that stays longer is left to the next start.
constexpr int kRemovalAttempts = 100;
constexpr std::chrono::milliseconds kRemovalPause{2};
constexpr std::chrono::milliseconds kRemoverPause{10};
constexpr int kRemoverRounds = 200;
constexpr int kProbeWaitMs = 5000;

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

// A name that tells emulators apart: the pid namespace, the pid, and when that process started.
std::string owner_name() {
  struct stat space {};
  ::stat("/proc/self/ns/pid", &space);
  return fmt::format("funcpipe-{}-{}-{}", space.st_ino, ::getpid(), process_start_time(::getpid()).value_or(0));
}

// True if owner_name() made `name` in a process of this pid namespace that is gone.
bool is_stale(const std::string& name, const std::string& own) {
  const auto parts = split(name, '-'), mine = split(own, '-');
  if (parts.size() < 4 || parts[0] != mine[0] || parts[1] != mine[1]) return false;
  const auto start = process_start_time(static_cast<pid_t>(std::strtol(parts[2].c_str(), nullptr, 10)));
  return !start || std::to_string(*start) != parts[3];
}

void remove_stale(const fs::path& parent) {
  const std::string own = owner_name();
  std::error_code status;
  std::vector<fs::path> stale;
  for (const auto& entry : fs::directory_iterator(parent, status))
    if (entry.is_directory(status) && is_stale(entry.path().filename(), own)) stale.push_back(entry.path());
  for (const auto& folder : stale) {
    std::vector<fs::path> inner;
    for (const auto& entry : fs::directory_iterator(folder, status))
      if (entry.is_directory(status)) inner.push_back(entry.path());
    inner.push_back(folder);
    for (const auto& path : inner)
      if (auto group = CgroupFolder::make(path)) group->kill_all();  // its destructor removes the group
  }
}

}  // namespace

GroupRemover::GroupRemover() : thread_([this] { run(); }) {}

GroupRemover::~GroupRemover() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void GroupRemover::remove(fs::path group) {
  {
    const std::lock_guard lock(mutex_);
    groups_.push_back(std::move(group));
  }
  changed_.notify_one();
}

void GroupRemover::run() {
  std::unique_lock lock(mutex_);
  for (int rounds_left = kRemoverRounds;;) {
    changed_.wait(lock, [this] { return stopped_ || !groups_.empty(); });
    if (stopped_ && (groups_.empty() || rounds_left-- == 0)) return;
    auto waiting = std::exchange(groups_, {});
    lock.unlock();
    std::erase_if(waiting, [](const fs::path& group) { return ::rmdir(group.c_str()) == 0 || errno != EBUSY; });
    if (!waiting.empty()) std::this_thread::sleep_for(kRemoverPause);
    lock.lock();
    groups_.insert(groups_.end(), waiting.begin(), waiting.end());
  }
}

Result<CgroupFolder> CgroupFolder::make(fs::path path, std::shared_ptr<GroupRemover> remover) {
  if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST)
    return fail(errno == ENOSPC ? ErrorCode::exhausted : ErrorCode::permission_denied,
                fmt::format("cannot make a control group: {}", std::strerror(errno)), path.string());
  return CgroupFolder(std::move(path), std::move(remover));
}

CgroupFolder::CgroupFolder(CgroupFolder&& other) noexcept
    : path_(std::move(other.path_)), remover_(std::move(other.remover_)) {
  other.path_.clear();
}

CgroupFolder& CgroupFolder::operator=(CgroupFolder&& other) noexcept {
  if (this != &other) {
    remove();
    path_ = std::move(other.path_);
    remover_ = std::move(other.remover_);
    other.path_.clear();
  }
  return *this;
}

CgroupFolder::~CgroupFolder() {
  remove();
}

void CgroupFolder::remove() {
  if (path_.empty()) return;
  if (remover_) {
    if (::rmdir(path_.c_str()) != 0 && errno == EBUSY) remover_->remove(path_);
    path_.clear();
    return;
  }
  for (int attempt = 0; attempt < kRemovalAttempts && ::rmdir(path_.c_str()) != 0 && errno == EBUSY; ++attempt)
    std::this_thread::sleep_for(kRemovalPause);
  path_.clear();
}

Result<> CgroupFolder::write(const std::string& file, const std::string& value) const {
  const fs::path place = path_ / file;
  const int descriptor = ::open(place.c_str(), O_WRONLY | O_CLOEXEC);
  const bool written =
      descriptor >= 0 && ::write(descriptor, value.data(), value.size()) == static_cast<ssize_t>(value.size());
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!written)
    return fail(ErrorCode::permission_denied, fmt::format("cannot write '{}': {}", value, std::strerror(error)),
                place.string());
  return {};
}

std::string CgroupFolder::read(const std::string& file) const {
  return read_file(path_ / file).value_or("");
}

std::optional<long long> CgroupFolder::number(const std::string& file, const std::string& label) const {
  std::istringstream in(read(file));
  if (!label.empty()) {
    std::string word;
    while (in >> word && word != label) {
    }
  }
  long long value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

std::vector<pid_t> CgroupFolder::processes() const {
  std::vector<pid_t> pids;
  std::istringstream in(read("cgroup.procs"));
  for (pid_t pid = 0; in >> pid;) pids.push_back(pid);
  return pids;
}

void CgroupFolder::kill_all() const {
  for (const pid_t pid : processes())
    if (pid > 0) ::kill(pid, SIGKILL);
  // In v1 a frozen process dies only once it runs again.
  std::error_code status;
  if (fs::exists(path_ / "freezer.state", status)) (void)write("freezer.state", "THAWED");
}

std::optional<fs::path> own_cgroup(const std::string& controller) {
  // /proc/self/cgroup has lines "id:controllers:path". v2 has id 0 and no controllers.
  std::optional<std::string> own;
  for (const auto& line : split(read_file("/proc/self/cgroup").value_or(""), '\n')) {
    const auto first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? names.empty() : contains(split(names, ','), controller)) own = line.substr(second + 1);
  }
  if (!own) return std::nullopt;
  // /proc/self/mountinfo has lines "id parent device root mountpoint options ... - type source superoptions".
  for (const auto& line : split(read_file("/proc/self/mountinfo").value_or(""), '\n')) {
    const auto dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto left = split(line.substr(0, dash), ' '), right = split(line.substr(dash + 3), ' ');
    if (left.size() < 5 || right.size() < 3) continue;
    const bool matches =
        controller.empty() ? right[0] == "cgroup2" : right[0] == "cgroup" && contains(split(right[2], ','), controller);
    if (!matches) continue;
    const std::string root = left[3] == "/" ? "" : left[3];  // the part of the hierarchy that is mounted there
    if (!own->starts_with(root)) return fs::path(left[4]);
    return (fs::path(left[4]) / fs::path(own->substr(root.size())).relative_path()).lexically_normal();
  }
  return std::nullopt;
}

Result<CgroupFolder> make_emulator_cgroup(const fs::path& parent) {
  remove_stale(parent);
  // One process may have several emulators; this one takes the first free number.
  const std::string owner = owner_name();
  for (int number = 0;; ++number) {
    const fs::path path = parent / fmt::format("{}-{}", owner, number);
    if (std::error_code status; fs::exists(path, status)) continue;
    return CgroupFolder::make(path);
  }
}

bool can_enter(const CgroupFolder& folder) {
  const std::string door = folder.path() / "cgroup.procs";
  const pid_t child = ::fork();
  if (child == 0) {
    const int file = ::open(door.c_str(), O_WRONLY | O_CLOEXEC);
    ::_exit(file >= 0 && ::write(file, "0", 1) == 1 ? 0 : 1);
  }
  if (child < 0) return false;
  // The group may be frozen, and then the child is, too.
  const int pidfd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd exit{pidfd, POLLIN, 0};
  const bool ended = pidfd < 0 || ::poll(&exit, 1, kProbeWaitMs) > 0;
  if (pidfd >= 0) ::close(pidfd);
  int status = 0;
  if (!ended) ::kill(child, SIGKILL);
  if (::waitpid(child, &status, ended ? 0 : WNOHANG) != child) return false;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

CpuQuota cpu_quota(double vcpus) {
  constexpr double kPeriod = 20'000, kLongestPeriod = 1'000'000, kSmallestQuota = 1'000;
  const double period = std::clamp(kSmallestQuota / vcpus, kPeriod, kLongestPeriod);
  return {.quota_us = std::llround(std::max(vcpus * period, kSmallestQuota)), .period_us = std::llround(period)};
}

Bytes peak_of(const std::vector<pid_t>& processes, Bytes at_least, std::optional<Bytes> limit) {
  Bytes peak = 0;
  for (const pid_t pid : processes) peak += process_memory(pid).peak_resident;
  if (peak == 0) peak = at_least;
  return limit ? std::min(peak, *limit) : peak;
}

}  // namespace funcpipe
