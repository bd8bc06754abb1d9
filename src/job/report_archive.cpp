#include "job/report_archive.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/files.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kBatch = 32;  // as many are removed by one request

// Whether what was written to it outlives the machine. If not, the objects stay in the store.
bool is_on_disk(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return synced;
}

Result<std::optional<Bytes>> hand_out(const std::string& text, const Destination& destination) {
  FUNCPIPE_TRY(target, destination(static_cast<Bytes>(text.size())));
  if (!text.empty()) std::memcpy(target.data(), text.data(), text.size());
  return static_cast<Bytes>(text.size());
}

}  // namespace

ReportArchive::ReportArchive(Store& store, fs::path file) : store_(store), file_(std::move(file)) {
  read_file_in();
}

// Reads the file. An incomplete line, left by a kill or a full disk, is removed: its object is still in the store.
void ReportArchive::read_file_in() {
  const std::string content = read_file(file_).value_or("");
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const auto line = nlohmann::json::parse(content.substr(begin, end - begin), nullptr, false);
    if (!line.is_object() || !line.contains("key") || !line["key"].is_string() || !line.contains("text") ||
        !line["text"].is_string())
      break;
    read_[line["key"].get<std::string>()] = line["text"].get<std::string>();
  }
  size_ = static_cast<Bytes>(begin);
  std::error_code ignored;
  if (begin < content.size()) fs::resize_file(file_, begin, ignored);
}

bool ReportArchive::append(const std::string& key, const std::string& text) {
  const std::string line = nlohmann::json{{"key", key}, {"text", text}}.dump() + "\n";
  std::ofstream out(file_, std::ios::binary | std::ios::app);
  out << line;
  out.close();
  std::error_code ignored;
  if (!out) {
    fs::resize_file(file_, static_cast<std::uintmax_t>(size_), ignored);
    return false;
  }
  size_ += static_cast<Bytes>(line.size());
  return true;
}

Result<std::optional<Bytes>> ReportArchive::get(const std::string& key, const Destination& destination,
                                                std::optional<ByteRange> range) {
  if (range) return store_.get(key, destination, range);
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = read_.find(key); known != read_.end()) return hand_out(known->second, destination);
  }
  FUNCPIPE_TRY(text, store_.get_text(key));
  if (!text) return std::nullopt;
  std::vector<std::string> old;
  {
    const std::lock_guard lock(mutex_);
    if (append(key, *text)) in_file_.push_back(key);
    if (in_file_.size() >= kBatch) old = std::exchange(in_file_, {});
  }
  if (!old.empty() && is_on_disk(file_))
    static_cast<void>(store_.remove(old));  // objects that remain are removed with the job's others
  return hand_out(*text, destination);
}

Result<PutOutcome> ReportArchive::put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) {
  return store_.put(key, pieces, mode);
}
Result<std::optional<Bytes>> ReportArchive::size(const std::string& key) {
  return store_.size(key);
}
Result<> ReportArchive::remove(std::span<const std::string> keys) {
  return store_.remove(keys);
}
Result<std::vector<ListedObject>> ReportArchive::list(const std::string& prefix) {
  return store_.list(prefix);
}

}  // namespace funcpipe
