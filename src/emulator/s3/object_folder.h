// Buckets and objects on disk, which the next start finds again. One emulator at a time owns a folder.
//
//   FOLDER/BUCKET/...   one file for each object (s3/object_file.h), and %location if the bucket has one
//   FOLDER/.new/        files being written; the start removes what an interrupted write left
//   FOLDER/.lock        locked while an emulator runs
//
// An index in memory says what exists. It is used on the io_context's thread only, so looking up, publishing and
// removing cannot interleave: create-if-absent is a look-up followed by a publish.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "emulator/s3/object_cache.h"
#include "emulator/s3/object_file.h"

namespace funcpipe {

struct StoredObject : ObjectInfo {
  std::uint64_t id = 0;  // unique to this version of the object; the cache's key
};
using SharedObject = std::shared_ptr<const StoredObject>;  // shared with answers that are being sent

class ObjectFolder {
 public:
  using Objects = std::map<std::string, SharedObject, std::less<>>;  // by key, in the order of bytes

  // Files that are no objects are left alone and listed in `ignored()`. Errors: unavailable if another emulator uses
  // the folder, exhausted, permission_denied.
  static Result<std::unique_ptr<ObjectFolder>> open(std::filesystem::path folder, Bytes cache_capacity);
  ~ObjectFolder();

  // Calls about a bucket. The other calls require that their bucket exists.
  bool has_bucket(const std::string& bucket) const { return buckets_.contains(bucket); }
  // `location` is the region that the bucket was asked for; empty: us-east-1.
  Result<> create_bucket(const std::string& bucket, const std::string& location = {});
  const std::string& location(const std::string& bucket) const { return buckets_.at(bucket).location; }
  // The bucket must contain no object. Errors: already_exists if its folder contains files that are no objects.
  Result<> remove_bucket(const std::string& bucket);
  std::vector<std::pair<std::string, double>> buckets() const;  // with the time of creation in seconds since 1970

  const Objects& objects(const std::string& bucket) const { return buckets_.at(bucket).objects; }
  SharedObject find(const std::string& bucket, const std::string& key) const;

  // Returns a new file to write an object to. The caller seals it.
  Result<std::unique_ptr<ObjectFileWriter>> writer() const;
  // Returns a path for content that is not yet an object. The next start removes such files.
  std::filesystem::path unfinished_file(const std::string& name) const;
  // Makes the sealed object visible. Without `bytes` it is not put into the cache. Errors: already_exists if a file
  // that is no object is in its place, exhausted if the index has become too large.
  Result<SharedObject> publish(const std::string& bucket, ObjectFileWriter& writer, ObjectInfo info, SharedBytes bytes);
  Result<> remove(const std::string& bucket, const std::string& key);  // no error if there is no such object

  ObjectCache& cache() { return cache_; }
  std::filesystem::path file_of(const std::string& bucket, const std::string& key) const;
  const std::vector<std::string>& ignored() const { return ignored_; }

 private:
  struct Bucket {
    double created = 0;
    std::string location;
    Objects objects;
  };
  ObjectFolder(std::filesystem::path folder, Bytes cache_capacity)
      : folder_(std::move(folder)), cache_(cache_capacity) {}
  Result<> lock();
  Result<> scan();

  std::filesystem::path folder_;
  int lock_ = -1;
  std::map<std::string, Bucket, std::less<>> buckets_;
  Bytes index_bytes_ = 0;  // estimated memory of the index
  std::uint64_t last_id_ = 0;
  mutable std::uint64_t last_writer_ = 0;
  ObjectCache cache_;
  std::vector<std::string> ignored_;
};

}  // namespace funcpipe
