// A store in memory that counts its gets and can lose or damage an object.
#pragma once

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "store/store.h"

namespace funcpipe {

class CountingStore final : public Store {
 public:
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) override {
    std::string value;
    for (const ConstBytes piece : pieces) value.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    const std::lock_guard lock(mutex_);
    if (fail_puts) return fail(ErrorCode::unavailable, "the store is down", key);
    if (mode == PutMode::create_if_absent && objects_.contains(key)) return PutOutcome::already_there;
    objects_[key] = std::move(value);
    return PutOutcome::created;
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange>) override {
    ++gets;
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    FUNCPIPE_TRY(to, destination(static_cast<Bytes>(found->second.size())));
    std::memcpy(to.data(), found->second.data(), found->second.size());
    return static_cast<Bytes>(found->second.size());
  }
  Result<std::optional<Bytes>> size(const std::string& key) override {
    const std::lock_guard lock(mutex_);
    const auto found = objects_.find(key);
    if (found == objects_.end()) return std::nullopt;
    return static_cast<Bytes>(found->second.size());
  }
  Result<> remove(std::span<const std::string> keys) override {
    const std::lock_guard lock(mutex_);
    for (const std::string& key : keys) objects_.erase(key);
    return {};
  }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override {
    const std::lock_guard lock(mutex_);
    std::vector<ListedObject> found;
    for (const auto& [key, value] : objects_)
      if (key.starts_with(prefix)) found.push_back({key, static_cast<Bytes>(value.size())});
    return found;
  }

  std::atomic<int> gets = 0;
  std::atomic<bool> fail_puts = false;

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
};

}  // namespace funcpipe
