// An object's file: its bytes, then what is known of it as JSON, then the JSON's length (8 hexadecimal digits) and
// "FPOBJECT". Written under a temporary name and renamed when complete, so a file under its own name is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// A checksum a client gave and that was verified.
struct StoredChecksum {
  std::string algorithm;  // "crc32", as in x-amz-checksum-crc32
  std::string value;      // base64; of parts' checksums with "-" and their number behind it
  std::string type;       // "FULL_OBJECT" or "COMPOSITE"
};

struct ObjectInfo {
  std::string key;
  Bytes size = 0;
  std::string etag;          // without quotes
  std::string content_type;  // empty: not given
  std::uint32_t crc32c = 0;
  bool has_crc32c = true;  // not for an object that an earlier release made of parts
  std::optional<StoredChecksum> checksum;
  std::vector<Bytes> part_sizes;  // of an object made of parts
  double modified = 0;            // seconds since 1970
  // Headers to send with it: x-amz-meta-*, cache-control and the like. Name in lower case, value.
  std::vector<std::pair<std::string, std::string>> metadata;
};

// A file being written; removed if it goes out of scope before finish().
class ObjectFileWriter {
 public:
  // Creates the file. Errors: exhausted (no space), permission_denied, failed.
  static Result<std::unique_ptr<ObjectFileWriter>> create(std::filesystem::path temporary);
  ~ObjectFileWriter();

  Result<> append(std::span<const std::byte> bytes);
  // Appends another file's first `size` bytes and shows them to `see`, piece by piece.
  Result<> append_file(const std::filesystem::path& path, Bytes size,
                       const std::function<void(std::span<const std::byte>)>& see);
  // Writes the trailer; info.size must be what was appended.
  Result<> seal(const ObjectInfo& info);
  // Renames to `path`, the one step that makes the object visible. `replace` false: already_exists if there is a file.
  Result<> publish(const std::filesystem::path& path, bool replace = true);

  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  ObjectFileWriter(std::filesystem::path temporary, int descriptor);
  std::filesystem::path temporary_;
  int descriptor_;
  bool published_ = false;
};

// What the trailer says; corrupt if the file is not an object's, or cut short.
Result<ObjectInfo> read_object_info(const std::filesystem::path& path);

// A file name for a key of any bytes: percent-encoded, and for long keys cut and made unique by a SHA-256.
std::string object_file_name(const std::string& key);

// An errno of a write as an Error that names the file; no space, quota and file-size limit are `exhausted`.
tl::unexpected<Error> write_failure(int error_number, const std::filesystem::path& path);

}  // namespace funcpipe
