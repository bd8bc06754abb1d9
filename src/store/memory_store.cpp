#include "store/memory_store.h"

#include <cstring>
#include <mutex>

#include "base/check.h"

namespace funcpipe {

Result<PutOutcome> MemoryStore::put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) {
  FUNCPIPE_TRY_VOID(check_key(key));
  auto content = std::make_shared<std::vector<std::byte>>();
  for (const ConstBytes& piece : pieces) content->insert(content->end(), piece.begin(), piece.end());
  const std::unique_lock lock(mutex_);
  Object& object = objects_[key];
  if (object && mode == PutMode::create_if_absent) return PutOutcome::already_there;
  object = std::move(content);
  return PutOutcome::created;
}

MemoryStore::Object MemoryStore::find(const std::string& key) const {
  const std::shared_lock lock(mutex_);
  const auto found = objects_.find(key);
  return found == objects_.end() ? nullptr : found->second;
}

Result<std::optional<Bytes>> MemoryStore::get(const std::string& key, const Destination& destination,
                                              std::optional<ByteRange> range) {
  FUNCPIPE_TRY_VOID(check_key(key));
  const Object object = find(key);
  if (!object) return std::nullopt;
  const auto whole = static_cast<Bytes>(object->size());
  const ByteRange part = range.value_or(ByteRange{0, whole});
  if (part.first < 0 || part.size < 0 || part.first > whole - part.size) {
    return fail(ErrorCode::invalid_input, fmt::format("{} bytes at {} of {}", part.size, part.first, whole),
                "memory:" + key);
  }
  FUNCPIPE_TRY(room, destination(part.size));
  FUNCPIPE_CHECK(static_cast<Bytes>(room.size()) >= part.size, "room for {} bytes, {} to come", room.size(), part.size);
  if (part.size > 0) std::memcpy(room.data(), object->data() + part.first, static_cast<std::size_t>(part.size));
  return part.size;
}

Result<std::optional<Bytes>> MemoryStore::size(const std::string& key) {
  FUNCPIPE_TRY_VOID(check_key(key));
  const Object object = find(key);
  if (!object) return std::nullopt;
  return static_cast<Bytes>(object->size());
}

Result<> MemoryStore::remove(std::span<const std::string> keys) {
  for (const std::string& key : keys) FUNCPIPE_TRY_VOID(check_key(key));
  const std::unique_lock lock(mutex_);
  for (const std::string& key : keys) objects_.erase(key);
  return {};
}

Result<std::vector<ListedObject>> MemoryStore::list(const std::string& prefix) {
  const std::shared_lock lock(mutex_);
  std::vector<ListedObject> objects;
  for (auto at = objects_.lower_bound(prefix); at != objects_.end() && at->first.starts_with(prefix); ++at) {
    objects.push_back({at->first, static_cast<Bytes>(at->second->size())});
  }
  return objects;
}

}  // namespace funcpipe
