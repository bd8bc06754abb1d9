// A Store that keeps its objects in this process's memory.
#pragma once

#include <map>
#include <shared_mutex>
#include <string>
#include <vector>

#include "store/store.h"

namespace funcpipe {

class MemoryStore final : public Store {
 public:
  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;

 private:
  // An object is shared with readers that are still copying it when its key is overwritten or deleted.
  using Object = std::shared_ptr<const std::vector<std::byte>>;
  Object find(const std::string& key) const;

  mutable std::shared_mutex mutex_;
  std::map<std::string, Object> objects_;  // std::string compares bytes as unsigned, which is S3's order
};

}  // namespace funcpipe
