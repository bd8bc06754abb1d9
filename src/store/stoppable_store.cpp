#include "store/stoppable_store.h"

#include <utility>

namespace funcpipe {
namespace {

// Refuses new requests once a stop is requested; for a store that cannot end a request under way.
class StoppableStore final : public Store {
 public:
  StoppableStore(Store& store, std::stop_token stop) : store_(store), stop_(std::move(stop)) {}

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override {
    FUNCPIPE_TRY_VOID(go_on());
    return store_.put(key, pieces, mode);
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override {
    FUNCPIPE_TRY_VOID(go_on());
    return store_.get(key, destination, range);
  }
  Result<std::optional<Bytes>> size(const std::string& key) override {
    FUNCPIPE_TRY_VOID(go_on());
    return store_.size(key);
  }
  Result<> remove(std::span<const std::string> keys) override {
    FUNCPIPE_TRY_VOID(go_on());
    return store_.remove(keys);
  }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override {
    FUNCPIPE_TRY_VOID(go_on());
    return store_.list(prefix);
  }

 private:
  Result<> go_on() const {
    if (stop_.stop_requested()) return fail(ErrorCode::cancelled, "stopped");
    return {};
  }

  Store& store_;
  std::stop_token stop_;
};

}  // namespace

std::unique_ptr<Store> until(Store& store, std::stop_token stop) {
  if (auto* const stoppable = dynamic_cast<Stoppable*>(&store)) return stoppable->until(std::move(stop));
  return std::make_unique<StoppableStore>(store, std::move(stop));
}

}  // namespace funcpipe
