// The file of an object: its bytes, then its description as JSON, then the JSON's length (8 hexadecimal digits) and
// "FPOBJECT". It is written under a temporary name and renamed when complete, so a file under its final name is
// complete.
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

// A checksum of an object. It was verified if the client gave it.
struct StoredChecksum {
  std::string algorithm;  // as in x-amz-checksum-crc32: "crc32"
  std::string value;      // base64; a checksum of parts' checksums ends in "-" and their number
  std::string type;       // "FULL_OBJECT" or "COMPOSITE"
};

struct ObjectInfo {
  std::string key;
  Bytes size = 0;
  std::string etag;          // without quotes
  std::string content_type;  // empty: none was given
  std::uint32_t crc32c = 0;
  bool has_crc32c = true;  // false for an object that an earlier release made of parts
  std::optional<StoredChecksum> checksum;
  std::vector<Bytes> part_sizes;  // empty unless the object was made of parts
  double modified = 0;            // seconds since 1970
  // Headers to send with the object, such as x-amz-meta-* and cache-control: name in lower case, value.
  std::vector<std::pair<std::string, std::string>> metadata;
};

// A file being written. The destructor removes it unless it was published.
class ObjectFileWriter {
 public:
  // Creates the file. Errors: exhausted (no space), permission_denied, failed.
  static Result<std::unique_ptr<ObjectFileWriter>> create(std::filesystem::path temporary);
  ~ObjectFileWriter();

  Result<> append(std::span<const std::byte> bytes);
  // Appends the first `size` bytes of another file and passes them to `see`, piece by piece.
  Result<> append_file(const std::filesystem::path& path, Bytes size,
                       const std::function<void(std::span<const std::byte>)>& see);
  // Writes the trailer. info.size must be the number of bytes appended.
  Result<> seal(const ObjectInfo& info);
  // Renames the file to `path`, which makes the object visible. Errors: already_exists if there is a file and not
  // `replace`; exhausted, permission_denied, failed.
  Result<> publish(const std::filesystem::path& path, bool replace = true);

  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  ObjectFileWriter(std::filesystem::path temporary, int descriptor);
  std::filesystem::path temporary_;
  int descriptor_;
  bool published_ = false;
};

// Reads the trailer. Errors: corrupt if the file is not an object's or is incomplete.
Result<ObjectInfo> read_object_info(const std::filesystem::path& path);

// Returns a file name for any key. It is percent-encoded; a long one is cut and made unique by a SHA-256.
std::string object_file_name(const std::string& key);

// Turns the errno of a write into an Error that names the file. No space, quota and file-size limit become `exhausted`.
tl::unexpected<Error> write_failure(int error_number, const std::filesystem::path& path);

}  // namespace funcpipe
