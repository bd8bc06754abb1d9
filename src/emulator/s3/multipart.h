// Uploads in parts. Parts lie in the folder's .new until the upload is completed or aborted; a restart forgets them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "emulator/request_signature.h"
#include "emulator/s3/checksums.h"
#include "emulator/s3/object_folder.h"
#include "emulator/s3/payload.h"
#include "emulator/s3/xml.h"

namespace funcpipe {

inline constexpr int kMostParts = 10'000;

// What a CompleteMultipartUpload claims of the object; nullptr and nullopt: nothing.
struct CompletionClaim {
  const ChecksumAlgorithm* algorithm = nullptr;
  std::string value;  // base64, with "-" and the number of parts behind it if it is made of theirs
  std::string type;
  std::optional<Bytes> size;
};

class MultipartUploads {
 public:
  struct Part {
    std::filesystem::path file;
    Bytes size = 0;
    std::string etag;  // MD5 in hex
    std::optional<StoredChecksum> checksum;
    double modified = 0;  // seconds since 1970
  };
  struct Upload {
    std::string bucket;
    ObjectInfo info;  // key, content type and metadata of the object to be
    UploadChecksum checksum;
    std::map<int, Part> parts;
    bool completing = false;
  };
  // An upload that became an object.
  struct Completed {
    std::string id, bucket, key, etag;
    std::optional<StoredChecksum> checksum;
  };
  // An object's content, put together, and what is known of it.
  struct Whole {
    std::unique_ptr<ObjectFileWriter> file;  // sealed
    ObjectInfo info;
  };

  // SlowDown if there are too many.
  tl::expected<std::string, Refusal> create(const std::string& bucket, ObjectInfo info, UploadChecksum checksum);
  // nullptr unless there is such an upload, for this object, that is not being completed.
  const Upload* find(const std::string& id, const std::string& bucket, const std::string& key) const;
  // One of the latest; else nullptr.
  const Completed* completed(const std::string& id, const std::string& bucket, const std::string& key) const;
  // Replaces a part of the same number.
  tl::expected<void, Refusal> add(const std::string& id, int number, ReceivedPayload payload, double unix_now,
                                  const ObjectFolder& folder);
  // Puts the parts together; the upload stays until finish().
  asio::awaitable<tl::expected<Whole, Refusal>> join(std::string id, std::vector<CompletedPart> parts,
                                                     CompletionClaim claim, ObjectFolder& folder,
                                                     asio::thread_pool& file_threads, Seconds unix_now);
  void finish(const std::string& id, const StoredObject& object);
  void abort(const std::string& id);
  void forget_bucket(const std::string& bucket);

 private:
  std::map<std::string, Upload> uploads_;
  std::deque<Completed> completed_;  // the latest in front
  std::size_t part_count_ = 0;
};

Refusal no_such_upload();

// UploadPart knows no conditions.
std::optional<Refusal> judge_part(const HttpRequest& request);

}  // namespace funcpipe
