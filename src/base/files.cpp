#include "base/files.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <vector>

namespace funcpipe {
namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& path) {
  std::error_code status;
  if (fs::is_directory(path, status)) return fail(ErrorCode::invalid_input, "is a folder, not a file", path.string());
  std::ifstream in(path, std::ios::binary);
  if (!in)
    return fail(errno == ENOENT ? ErrorCode::not_found : ErrorCode::permission_denied,
                fmt::format("cannot read: {}", std::strerror(errno)), path.string());
  if (fs::is_regular_file(path, status)) {
    std::ostringstream content;
    content << in.rdbuf();
    return std::move(content).str();
  }
  // A pipe or a device: it may never end.
  constexpr std::size_t kMost = 64 << 20;
  std::string content;
  std::vector<char> block(1 << 16);
  while (in && content.size() <= kMost) {
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    content.append(block.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (content.size() > kMost)
    return fail(ErrorCode::invalid_input, "it is no file, and has not ended after 64 MiB", path.string(),
                "name a file");
  return content;
}

Result<> write_file(const fs::path& path, std::string_view content) {
  std::error_code status;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), status);
  // A device or a pipe is written to, not replaced.
  const bool replaces = !fs::exists(path, status) || fs::is_regular_file(path, status);
  const fs::path partial = replaces ? path.string() + fmt::format(".{}.partial", ::getpid()) : path.string();
  const auto failed = [&](int error) {
    const std::string reason = std::strerror(error);
    if (replaces) fs::remove(partial, status);
    return fail(error == ENOSPC ? ErrorCode::exhausted : ErrorCode::permission_denied,
                fmt::format("cannot write: {}", reason), path.string());
  };
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  out.write(content.data(), static_cast<std::streamsize>(content.size()));
  out.close();
  if (!out) return failed(errno);
  if (replaces) fs::rename(partial, path, status);
  if (replaces && status) return failed(status.value());
  return {};
}

Result<nlohmann::json> parse_json(std::string_view text, const std::string& place) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    return fail(ErrorCode::invalid_input, fmt::format("not valid JSON at byte {}", error.byte), place);
  } catch (const nlohmann::json::out_of_range&) {
    return fail(ErrorCode::invalid_input, "a number in it is larger than any figure can be", place);
  }
}

Result<nlohmann::json> read_json(const fs::path& path) {
  FUNCPIPE_TRY(text, read_file(path));
  return parse_json(text, path.string());
}

}  // namespace funcpipe
