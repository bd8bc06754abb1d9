#include "emulator/s3/object_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/check.h"
#include "base/files.h"
#include "base/owned_folder.h"
#include "emulator/bucket_name.h"

namespace funcpipe {
namespace fs = std::filesystem;
namespace {
constexpr const char* kUnfinished = ".new";
constexpr std::string_view kUnfinishedPrefix = "funcpipe-unfinished-";
constexpr const char* kLocation = "%location";  // cannot be a key's file name: there two digits follow each '%'
constexpr Bytes kLargestIndex = 2 * kGiB;
constexpr std::size_t kMostBuckets = 10'000;

Bytes index_cost(const ObjectInfo& info) {
  std::size_t bytes = 512 + 2 * info.key.size() + info.part_sizes.size() * sizeof(Bytes);
  for (const auto& [name, value] : info.metadata) bytes += 64 + name.size() + value.size();
  return static_cast<Bytes>(bytes);
}
}  // namespace

Result<std::unique_ptr<ObjectFolder>> ObjectFolder::open(fs::path folder, Bytes cache_capacity) {
  std::unique_ptr<ObjectFolder> opened(new ObjectFolder(std::move(folder), cache_capacity));
  FUNCPIPE_TRY_VOID(make_private_folders(opened->folder_ / kUnfinished));
  FUNCPIPE_TRY_VOID(opened->lock());
  FUNCPIPE_TRY_VOID(opened->scan());
  return opened;
}

ObjectFolder::~ObjectFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<> ObjectFolder::lock() {
  const auto path = folder_ / ".lock";
  lock_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (lock_ < 0) return write_failure(errno, path);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::unavailable, "another emulator is using this folder", folder_.string(),
                "stop the other one, or choose another folder");
  return {};
}

Result<> ObjectFolder::scan() {
  std::error_code error;
  for (const auto& leftover : fs::directory_iterator(folder_ / kUnfinished, error))
    if (leftover.path().filename().string().starts_with(kUnfinishedPrefix) && leftover.is_regular_file(error))
      ::unlink(leftover.path().c_str());
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_symlink(error) || !entry.is_directory(error) || !valid_bucket_name(name)) {
      ignored_.push_back(entry.path().string());
      continue;
    }
    struct stat status {};
    Bucket& bucket = buckets_[name];
    if (::stat(entry.path().c_str(), &status) == 0) bucket.created = static_cast<double>(status.st_mtime);
    for (const auto& file : fs::directory_iterator(entry.path(), error)) {
      if (file.path().filename() == kLocation) {
        bucket.location = read_file(file.path()).value_or("");
        continue;
      }
      auto info = read_object_info(file.path());
      if (!info || object_file_name(info->key) != file.path().filename()) {
        ignored_.push_back(file.path().string());
        continue;
      }
      auto object = std::make_shared<StoredObject>();
      static_cast<ObjectInfo&>(*object) = std::move(*info);
      object->id = ++last_id_;
      index_bytes_ += index_cost(*object);
      const std::string key = object->key;
      bucket.objects.emplace(key, std::move(object));
    }
  }
  if (error) return fail(ErrorCode::permission_denied, "cannot be read: " + error.message(), folder_.string());
  return {};
}

Result<> ObjectFolder::create_bucket(const std::string& bucket, const std::string& location) {
  const auto path = folder_ / bucket;
  if (buckets_.size() >= kMostBuckets)
    return fail(ErrorCode::exhausted, fmt::format("there are {} buckets", buckets_.size()), folder_.string());
  if (::mkdir(path.c_str(), 0700) != 0) return write_failure(errno, path);
  if (!location.empty()) {
    if (auto written = write_file(path / kLocation, location); !written) {
      ::rmdir(path.c_str());
      return written;
    }
  }
  struct stat status {};
  ::stat(path.c_str(), &status);
  Bucket& made = buckets_[bucket];
  made.created = static_cast<double>(status.st_mtime);
  made.location = location;
  return {};
}

Result<> ObjectFolder::remove_bucket(const std::string& bucket) {
  FUNCPIPE_CHECK(buckets_.at(bucket).objects.empty(), "bucket {} is not empty", bucket);
  const auto path = folder_ / bucket;
  const std::string location = buckets_.at(bucket).location;
  if (!location.empty()) ::unlink((path / kLocation).c_str());
  if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
    const int error = errno;
    if (!location.empty()) (void)write_file(path / kLocation, location);
    errno = error;
    if (errno == ENOTEMPTY || errno == EEXIST)
      return fail(ErrorCode::already_exists, "files that are no objects of this emulator lie in the bucket's folder",
                  path.string(), "move them away");
    return write_failure(errno, path);
  }
  buckets_.erase(bucket);
  return {};
}

std::vector<std::pair<std::string, double>> ObjectFolder::buckets() const {
  std::vector<std::pair<std::string, double>> list;
  for (const auto& [name, bucket] : buckets_) list.emplace_back(name, bucket.created);
  return list;
}

SharedObject ObjectFolder::find(const std::string& bucket, const std::string& key) const {
  const auto& objects = buckets_.at(bucket).objects;
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : found->second;
}

Result<std::unique_ptr<ObjectFileWriter>> ObjectFolder::writer() const {
  return ObjectFileWriter::create(unfinished_file(fmt::format("{}-{}", ::getpid(), ++last_writer_)));
}

fs::path ObjectFolder::unfinished_file(const std::string& name) const {
  return folder_ / kUnfinished / (std::string(kUnfinishedPrefix) + name);
}

fs::path ObjectFolder::file_of(const std::string& bucket, const std::string& key) const {
  return folder_ / bucket / object_file_name(key);
}

Result<SharedObject> ObjectFolder::publish(const std::string& bucket, ObjectFileWriter& writer, ObjectInfo info,
                                           SharedBytes bytes) {
  const SharedObject before = find(bucket, info.key);
  const bool ours = before != nullptr;
  const Bytes more = index_cost(info) - (before ? index_cost(*before) : 0);
  if (more > 0 && index_bytes_ + more > kLargestIndex)
    return fail(ErrorCode::exhausted, "there are too many objects", folder_.string(), "delete some");
  FUNCPIPE_TRY_VOID(writer.publish(file_of(bucket, info.key), /*replace=*/ours));
  index_bytes_ += more;
  auto object = std::make_shared<StoredObject>();
  static_cast<ObjectInfo&>(*object) = std::move(info);
  object->id = ++last_id_;
  auto& place = buckets_.at(bucket).objects[object->key];
  if (place) cache_.drop(place->id);
  place = object;
  if (bytes) cache_.put(object->id, std::move(bytes), object->size);
  return place;
}

Result<> ObjectFolder::remove(const std::string& bucket, const std::string& key) {
  auto& objects = buckets_.at(bucket).objects;
  const auto found = objects.find(key);
  if (found == objects.end()) return {};
  const auto path = file_of(bucket, key);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return write_failure(errno, path);
  cache_.drop(found->second->id);
  index_bytes_ -= index_cost(*found->second);
  objects.erase(found);
  return {};
}

}  // namespace funcpipe
