#include "emulator/lambda/instance_log.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include "base/owned_folder.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr Bytes kLargestFile = 8 * kMiB;
constexpr std::size_t kMostFiles = 2000;
constexpr Bytes kMostBytes = 256 * kMiB;
constexpr std::size_t kIdDigits = 32;

// True for the names that an InstanceLog gives its files.
bool is_log(std::string_view name) {
  if (name.size() < kIdDigits) return false;
  const auto rest = name.substr(kIdDigits);
  return name.find_first_not_of("0123456789abcdef") == kIdDigits && (rest == ".log" || rest == ".old.log");
}

void prune(const fs::path& folder) {
  struct Found {
    fs::file_time_type written;
    Bytes size;
    fs::path path;
  };
  std::vector<Found> logs;
  Bytes total = 0;
  std::error_code status;
  for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status)) {
    std::error_code ignored;
    if (!is_log(at->path().filename().string()) || !at->is_regular_file(ignored)) continue;
    logs.push_back({at->last_write_time(ignored), static_cast<Bytes>(at->file_size(ignored)), at->path()});
    total += logs.back().size;
  }
  if (logs.size() <= kMostFiles && total <= kMostBytes) return;
  std::sort(logs.begin(), logs.end(), [](const Found& a, const Found& b) { return a.written < b.written; });
  std::size_t left = logs.size();
  for (const Found& log : logs) {
    if (left <= kMostFiles && total <= kMostBytes) break;
    fs::remove(log.path, status);
    total -= log.size;
    --left;
  }
}

}  // namespace

void remove_instance_logs(const fs::path& folder) {
  std::error_code status;
  if (!fs::is_directory(fs::symlink_status(folder, status))) return;
  std::vector<fs::path> logs;
  for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status)) {
    std::error_code ignored;
    if (is_log(at->path().filename().string()) && fs::is_regular_file(at->symlink_status(ignored)))
      logs.push_back(at->path());
  }
  for (const fs::path& log : logs) fs::remove(log, status);
  fs::remove(folder, status);  // removes it only if it is empty
}

InstanceLog::InstanceLog(const fs::path& folder, const std::string& id)
    : path_(folder / (id + ".log")), old_path_(folder / (id + ".old.log")) {
  (void)make_private_folders(folder);
  prune(folder);
  open();
}

void InstanceLog::open() {
  size_ = 0;
  file_.open(path_, std::ios::binary | std::ios::app);
}

void InstanceLog::write(std::string_view text) {
  if (size_ + static_cast<Bytes>(text.size()) > kLargestFile && size_ > 0) {
    file_.close();
    std::error_code status;
    fs::rename(path_, old_path_, status);
    file_.clear();
    open();
  }
  size_ += static_cast<Bytes>(text.size());
  file_.write(text.data(), static_cast<std::streamsize>(text.size()));
  file_.flush();
  tail_ += text;
  if (tail_.size() > 4 * kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);
}

std::string_view InstanceLog::tail() const {
  const std::string_view all = tail_;
  return all.size() > kTailBytes ? all.substr(all.size() - kTailBytes) : all;
}

}  // namespace funcpipe
