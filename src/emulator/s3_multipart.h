// Uploads in parts. Parts lie in the folder's .new until the upload is completed or aborted; a restart forgets them.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "emulator/object_folder.h"
#include "emulator/request_signature.h"
#include "emulator/s3_payload.h"
#include "emulator/s3_xml.h"

namespace funcpipe {

class MultipartUploads {
 public:
  // `info`: key, content type and metadata of the object to be.
  std::string create(const std::string& bucket, ObjectInfo info);
  // Refused unless there is such an upload, for this object.
  tl::expected<void, Refusal> there(const std::string& id, const std::string& bucket, const std::string& key) const;
  // Replaces a part of the same number.
  tl::expected<void, Refusal> add(const std::string& id, int number, ReceivedPayload payload);
  // The object's content, put together, and what is known of it; the upload is gone once it succeeds.
  struct Whole {
    std::unique_ptr<ObjectFileWriter> file;  // sealed
    ObjectInfo info;
  };
  asio::awaitable<tl::expected<Whole, Refusal>> complete(std::string id, std::vector<CompletedPart> parts,
                                                         ObjectFolder& folder, asio::thread_pool& file_threads,
                                                         Seconds unix_now);
  void abort(const std::string& id);

 private:
  struct Part {
    std::filesystem::path file;
    Bytes size = 0;
    std::string etag;  // MD5 in hex
  };
  struct Upload {
    std::string bucket;
    ObjectInfo info;
    std::map<int, Part> parts;
    bool completing = false;
  };
  std::map<std::string, Upload> uploads_;
};

}  // namespace funcpipe
