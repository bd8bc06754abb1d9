#include "emulator/s3/object_cache.h"

#include <utility>

namespace funcpipe {

void ObjectCache::put(std::uint64_t object, SharedBytes bytes, Bytes size) {
  if (!takes(size)) return;
  drop(object);
  entries_.push_front(Entry{object, std::move(bytes), size});
  index_[object] = entries_.begin();
  held_ += size;
  while (held_ > capacity_) drop(entries_.back().object);
}

SharedBytes ObjectCache::get(std::uint64_t object) {
  const auto found = index_.find(object);
  if (found == index_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->bytes;
}

void ObjectCache::drop(std::uint64_t object) {
  const auto found = index_.find(object);
  if (found == index_.end()) return;
  held_ -= found->second->size;
  entries_.erase(found->second);
  index_.erase(found);
}

}  // namespace funcpipe
