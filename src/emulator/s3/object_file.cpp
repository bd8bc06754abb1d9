#include "emulator/s3/object_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "store/digest.h"
#include "store/uri.h"

namespace funcpipe {
namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "FPOBJECT";
constexpr int kVersion = 1;                // of the JSON; that of the first releases does not say it
constexpr std::size_t kTail = 16;          // the trailer's length and magic
constexpr std::size_t kLongestName = 200;  // file systems allow 255 bytes

Result<> write_all(int descriptor, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const auto wrote = ::write(descriptor, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return write_failure(errno, path);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

bool read_all(int descriptor, char* into, std::size_t size, off_t at) {
  while (size > 0) {
    const auto got = ::pread(descriptor, into, size, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    into += got;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

// Strings of a trailer may contain any bytes but JSON holds only UTF-8, so they are percent-encoded.
nlohmann::json to_json(const ObjectInfo& info) {
  nlohmann::json metadata = nlohmann::json::array();
  for (const auto& [name, value] : info.metadata) metadata.push_back({uri_encode(name), uri_encode(value)});
  nlohmann::json json{{"version", kVersion},       {"key", uri_encode(info.key)},
                      {"size", info.size},         {"etag", info.etag},
                      {"modified", info.modified}, {"content_type", uri_encode(info.content_type)},
                      {"metadata", metadata}};
  if (info.has_crc32c) json["crc32c"] = info.crc32c;
  if (info.checksum) json["checksum"] = {info.checksum->algorithm, info.checksum->value, info.checksum->type};
  if (!info.part_sizes.empty()) json["parts"] = info.part_sizes;
  return json;
}

ObjectInfo from_json(const nlohmann::json& json) {
  ObjectInfo info;
  info.key = uri_decode(json.at("key").get<std::string>());
  info.size = json.at("size").get<Bytes>();
  info.etag = json.at("etag").get<std::string>();
  info.content_type = uri_decode(json.at("content_type").get<std::string>());
  info.modified = json.at("modified").get<double>();
  info.has_crc32c = json.contains("crc32c");
  if (info.has_crc32c) info.crc32c = json.at("crc32c").get<std::uint32_t>();
  if (const auto checksum = json.find("checksum"); checksum != json.end())
    info.checksum = {checksum->at(0).get<std::string>(), checksum->at(1).get<std::string>(),
                     checksum->at(2).get<std::string>()};
  if (const auto parts = json.find("parts"); parts != json.end()) info.part_sizes = parts->get<std::vector<Bytes>>();
  for (const auto& pair : json.at("metadata"))
    info.metadata.emplace_back(uri_decode(pair.at(0).get<std::string>()), uri_decode(pair.at(1).get<std::string>()));
  return info;
}

}  // namespace

tl::unexpected<Error> write_failure(int error_number, const fs::path& path) {
  const auto message = fmt::format("cannot write: {}", std::strerror(error_number));
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fail(ErrorCode::exhausted, message, path.string(), "make room on that disk, or choose another folder");
    case EMFILE:
    case ENFILE:
      return fail(ErrorCode::unavailable, message, path.string(), "raise the limit of open files (ulimit -n)");
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(ErrorCode::permission_denied, message, path.string(), "choose a folder that can be written");
    default:
      return fail(ErrorCode::failed, message, path.string());
  }
}

std::string object_file_name(const std::string& key) {
  std::string name = uri_encode(key);
  if (name == "." || name == "..") name = name == "." ? "%2E" : "%2E%2E";
  if (name.size() <= kLongestName) return name;
  return name.substr(0, kLongestName - 65) + "+" + hex(sha256(std::string_view(key)));
}

ObjectFileWriter::ObjectFileWriter(fs::path temporary, int descriptor)
    : temporary_(std::move(temporary)), descriptor_(descriptor) {}

ObjectFileWriter::~ObjectFileWriter() {
  ::close(descriptor_);
  if (!published_) ::unlink(temporary_.c_str());
}

Result<std::unique_ptr<ObjectFileWriter>> ObjectFileWriter::create(fs::path temporary) {
  const int descriptor = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (descriptor < 0) return write_failure(errno, temporary);
  return std::unique_ptr<ObjectFileWriter>(new ObjectFileWriter(std::move(temporary), descriptor));
}

Result<> ObjectFileWriter::append(std::span<const std::byte> bytes) {
  return write_all(descriptor_, bytes, temporary_);
}

Result<> ObjectFileWriter::append_file(const fs::path& path, Bytes size,
                                       const std::function<void(std::span<const std::byte>)>& see) {
  const int source = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (source < 0) return fail(ErrorCode::corrupt, fmt::format("cannot read: {}", std::strerror(errno)), path.string());
  std::vector<char> chunk(1 << 20);
  Result<> result;
  for (Bytes at = 0; at < size && result;) {
    const auto now = static_cast<std::size_t>(std::min<Bytes>(size - at, static_cast<Bytes>(chunk.size())));
    if (!read_all(source, chunk.data(), now, at)) {
      result = fail(ErrorCode::corrupt, "a part of an upload ended early", path.string());
      break;
    }
    const auto piece = std::as_bytes(std::span(chunk.data(), now));
    see(piece);
    result = append(piece);
    at += static_cast<Bytes>(now);
  }
  ::close(source);
  return result;
}

Result<> ObjectFileWriter::seal(const ObjectInfo& info) {
  std::string trailer = to_json(info).dump();
  trailer += fmt::format("{:08x}{}", trailer.size(), kMagic);
  return append(std::as_bytes(std::span(trailer)));
}

Result<> ObjectFileWriter::publish(const fs::path& path, bool replace) {
  int renamed = ::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path.c_str(), replace ? 0 : RENAME_NOREPLACE);
  if (renamed != 0 && errno == EINVAL && !replace) {  // the file system does not support RENAME_NOREPLACE
    struct stat status {};
    renamed = ::lstat(path.c_str(), &status) == 0 ? -1 : ::rename(temporary_.c_str(), path.c_str());
    if (renamed != 0) errno = EEXIST;
  }
  if (renamed != 0 && errno == EEXIST)
    return fail(ErrorCode::already_exists, "a file that is no object of this emulator is in the way", path.string(),
                "move it away, or use another key");
  if (renamed != 0) return write_failure(errno, path);
  published_ = true;
  return {};
}

Result<ObjectInfo> read_object_info(const fs::path& path) {
  const auto bad = [&](std::string_view why) { return fail(ErrorCode::corrupt, std::string(why), path.string()); };
  // The flags keep open() from blocking on a pipe and from following a link.
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (opened < 0) return bad(std::strerror(errno));
  const std::shared_ptr<void> closer(nullptr, [opened](void*) { ::close(opened); });
  struct stat status {};
  if (::fstat(opened, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size < static_cast<off_t>(kTail))
    return bad("not an object's file");
  char tail[kTail];
  if (!read_all(opened, tail, kTail, status.st_size - static_cast<off_t>(kTail))) return bad("cannot be read");
  if (std::string_view(tail + 8, 8) != kMagic) return bad("not an object's file, or cut short");
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(tail, tail + 8, length, 16);
  if (error != std::errc() || end != tail + 8 || static_cast<off_t>(length + kTail) > status.st_size)
    return bad("a broken trailer");
  std::string text(length, '\0');
  if (!read_all(opened, text.data(), length, status.st_size - static_cast<off_t>(kTail + length)))
    return bad("cannot be read");
  try {
    const auto json = nlohmann::json::parse(text);
    if (const int version = json.value("version", kVersion); version != kVersion)
      return fail(ErrorCode::corrupt,
                  fmt::format("an object in format version {}, this program reads version {}", version, kVersion),
                  path.string(), "start the emulator of the release that wrote it, or choose another folder");
    auto info = from_json(json);
    if (info.size + static_cast<Bytes>(length + kTail) != status.st_size) return bad("of another length than it says");
    return info;
  } catch (const nlohmann::json::exception& exception) {
    return bad(exception.what());
  }
}

}  // namespace funcpipe
