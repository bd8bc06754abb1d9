#include "emulator/instance_log.h"

namespace funcpipe {
namespace {
constexpr std::size_t kTailBytes = 4096;
}

InstanceLog::InstanceLog(const std::filesystem::path& path) {
  std::error_code status;
  std::filesystem::create_directories(path.parent_path(), status);
  file_.open(path, std::ios::binary | std::ios::app);
}

void InstanceLog::write(std::string_view text) {
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
