#include "emulator/object_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "base/check.h"

namespace funcpipe {
namespace fs = std::filesystem;

Result<std::unique_ptr<ObjectFolder>> ObjectFolder::open(fs::path folder, Bytes cache_capacity) {
  std::unique_ptr<ObjectFolder> opened(new ObjectFolder(std::move(folder), cache_capacity));
  std::error_code error;
  fs::create_directories(opened->folder_ / ".new", error);
  if (error) return write_failure(error.value(), opened->folder_);
  FUNCPIPE_TRY_VOID(opened->lock());
  FUNCPIPE_TRY_VOID(opened->scan());
  return opened;
}

ObjectFolder::~ObjectFolder() {
  if (lock_ >= 0) ::close(lock_);
}

Result<> ObjectFolder::lock() {
  const auto path = folder_ / ".lock";
  lock_ = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (lock_ < 0) return write_failure(errno, path);
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::unavailable, "another emulator is using this folder", folder_.string(),
                "stop the other one, or choose another folder");
  return {};
}

Result<> ObjectFolder::scan() {
  std::error_code error;
  for (const auto& leftover : fs::directory_iterator(folder_ / ".new", error)) {
    std::error_code ignored;
    fs::remove_all(leftover.path(), ignored);
  }
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (!entry.is_directory(error)) {
      ignored_.push_back(entry.path().string());
      continue;
    }
    struct stat status {};
    Bucket& bucket = buckets_[name];
    if (::stat(entry.path().c_str(), &status) == 0) bucket.created = static_cast<double>(status.st_mtime);
    for (const auto& file : fs::directory_iterator(entry.path(), error)) {
      auto info = read_object_info(file.path());
      if (!info || object_file_name(info->key) != file.path().filename()) {
        ignored_.push_back(file.path().string());
        continue;
      }
      auto object = std::make_shared<StoredObject>();
      static_cast<ObjectInfo&>(*object) = std::move(*info);
      object->id = ++last_id_;
      const std::string key = object->key;
      bucket.objects.emplace(key, std::move(object));
    }
  }
  if (error) return fail(ErrorCode::permission_denied, "cannot be read: " + error.message(), folder_.string());
  return {};
}

Result<> ObjectFolder::create_bucket(const std::string& bucket) {
  const auto path = folder_ / bucket;
  if (::mkdir(path.c_str(), 0755) != 0) return write_failure(errno, path);
  struct stat status {};
  ::stat(path.c_str(), &status);
  buckets_[bucket].created = static_cast<double>(status.st_mtime);
  return {};
}

Result<> ObjectFolder::remove_bucket(const std::string& bucket) {
  FUNCPIPE_CHECK(buckets_.at(bucket).objects.empty(), "bucket {} is not empty", bucket);
  std::error_code error;
  fs::remove_all(folder_ / bucket, error);
  if (error) return write_failure(error.value(), folder_ / bucket);
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
  return writer(fmt::format("{}-{}", ::getpid(), ++last_writer_));
}

Result<std::unique_ptr<ObjectFileWriter>> ObjectFolder::writer(const std::string& name) const {
  return ObjectFileWriter::create(folder_ / ".new" / name);
}

fs::path ObjectFolder::file_of(const std::string& bucket, const std::string& key) const {
  return folder_ / bucket / object_file_name(key);
}

Result<SharedObject> ObjectFolder::publish(const std::string& bucket, ObjectFileWriter& writer, ObjectInfo info,
                                           SharedBytes bytes) {
  FUNCPIPE_TRY_VOID(writer.publish(file_of(bucket, info.key)));
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
  objects.erase(found);
  return {};
}

}  // namespace funcpipe
