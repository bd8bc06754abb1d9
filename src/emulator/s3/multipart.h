// Uploads in parts. The parts lie in the folder .new until the upload is completed or aborted. A restart forgets them.
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

// What a CompleteMultipartUpload claims about the object. Members that are nullptr, empty or nullopt claim nothing.
struct CompletionClaim {
  const ChecksumAlgorithm* algorithm = nullptr;
  std::string value;  // base64; a checksum of the parts' checksums ends in "-" and the number of parts
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
    ObjectInfo info;  // key, content type and metadata of the future object
    UploadChecksum checksum;
    std::map<int, Part> parts;
    bool completing = false;
  };
  // An upload that has become an object.
  struct Completed {
    std::string id, bucket, key, etag;
    std::optional<StoredChecksum> checksum;
  };
  // The content of an object, joined from its parts, and its description.
  struct Whole {
    std::unique_ptr<ObjectFileWriter> file;  // sealed
    ObjectInfo info;
  };

  // Errors: SlowDown if there are too many uploads or parts.
  tl::expected<std::string, Refusal> create(const std::string& bucket, ObjectInfo info, UploadChecksum checksum);
  // Returns nullptr unless there is such an upload for this object and it is not being completed.
  const Upload* find(const std::string& id, const std::string& bucket, const std::string& key) const;
  // Returns one of the latest completed uploads, or nullptr.
  const Completed* completed(const std::string& id, const std::string& bucket, const std::string& key) const;
  // Adds a part. It replaces a part of the same number.
  tl::expected<void, Refusal> add(const std::string& id, int number, ReceivedPayload payload, double unix_now,
                                  const ObjectFolder& folder);
  // Joins the parts. The upload stays until finish().
  asio::awaitable<tl::expected<Whole, Refusal>> join(std::string id, std::vector<CompletedPart> parts,
                                                     CompletionClaim claim, ObjectFolder& folder,
                                                     asio::thread_pool& file_threads, Seconds unix_now);
  void finish(const std::string& id, const StoredObject& object);
  void abort(const std::string& id);
  void forget_bucket(const std::string& bucket);

 private:
  std::map<std::string, Upload> uploads_;
  std::deque<Completed> completed_;  // the latest is first
  std::size_t part_count_ = 0;
};

Refusal no_such_upload();

// Refuses conditions, which UploadPart does not have.
std::optional<Refusal> judge_part(const HttpRequest& request);

}  // namespace funcpipe
