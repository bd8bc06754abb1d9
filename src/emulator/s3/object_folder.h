// Buckets and objects on disk, found again by the next start. One emulator at a time owns a folder.
//
//   FOLDER/BUCKET/...   one file per object (s3/object_file.h), and %location where the bucket has one
//   FOLDER/.new/        being written; the start removes what an interrupted write left
//   FOLDER/.lock        held while an emulator runs
//
// What exists is known from an index in memory, kept on the io_context's thread: looking up, publishing and removing
// never interleave, so create-if-absent is a look-up followed by a publish.
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
  std::uint64_t id = 0;  // of this version, for the cache
};
using SharedObject = std::shared_ptr<const StoredObject>;  // shared with answers that are being sent

class ObjectFolder {
 public:
  using Objects = std::map<std::string, SharedObject, std::less<>>;  // by key, in byte order

  // Files that are no objects are left alone and named in `ignored()`.
  // Errors: unavailable (another emulator has it), exhausted, permission_denied.
  static Result<std::unique_ptr<ObjectFolder>> open(std::filesystem::path folder, Bytes cache_capacity);
  ~ObjectFolder();

  // Buckets. The bucket named in the other calls must exist.
  bool has_bucket(const std::string& bucket) const { return buckets_.contains(bucket); }
  // `location` is the region it was asked for; empty: us-east-1.
  Result<> create_bucket(const std::string& bucket, const std::string& location = {});
  const std::string& location(const std::string& bucket) const { return buckets_.at(bucket).location; }
  Result<> remove_bucket(
      const std::string& bucket);  // which must hold no object; already_exists if it holds others' files
  std::vector<std::pair<std::string, double>> buckets() const;  // with the time of creation, seconds since 1970

  const Objects& objects(const std::string& bucket) const { return buckets_.at(bucket).objects; }
  SharedObject find(const std::string& bucket, const std::string& key) const;

  // A file to write an object to; sealed by the caller.
  Result<std::unique_ptr<ObjectFileWriter>> writer() const;
  // The path of a file, gone with the next start, for what is not yet an object.
  std::filesystem::path unfinished_file(const std::string& name) const;
  // Makes the sealed object visible. `bytes` may be null: not for the cache. already_exists if a file that is no object
  // has its place, exhausted if the index has become too large.
  Result<SharedObject> publish(const std::string& bucket, ObjectFileWriter& writer, ObjectInfo info, SharedBytes bytes);
  Result<> remove(const std::string& bucket, const std::string& key);  // no error if there is none

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
  Bytes index_bytes_ = 0;  // an estimate of what the index takes in memory
  std::uint64_t last_id_ = 0;
  mutable std::uint64_t last_writer_ = 0;
  ObjectCache cache_;
  std::vector<std::string> ignored_;
};

}  // namespace funcpipe
