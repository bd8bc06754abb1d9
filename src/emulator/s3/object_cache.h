// Keeps whole objects in memory and drops the least recently used first. Used on the io_context's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>

#include "base/units.h"

namespace funcpipe {

using SharedBytes = std::shared_ptr<const std::byte[]>;  // shared with answers that are being sent

class ObjectCache {
 public:
  explicit ObjectCache(Bytes capacity) : capacity_(capacity) {}

  // True for an object of at most a quarter of the capacity. Larger ones would drive out everything else.
  bool takes(Bytes size) const { return size <= capacity_ / 4; }
  void put(std::uint64_t object, SharedBytes bytes, Bytes size);
  SharedBytes get(std::uint64_t object);  // nullptr if it is not in the cache
  void drop(std::uint64_t object);

 private:
  struct Entry {
    std::uint64_t object;
    SharedBytes bytes;
    Bytes size;
  };
  Bytes capacity_;
  Bytes held_ = 0;
  std::list<Entry> entries_;  // the most recently used is first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> index_;
};

}  // namespace funcpipe
