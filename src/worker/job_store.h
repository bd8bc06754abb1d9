// A worker's view of its job's store, which ends with the job. Once the client has left a stop mark (stop_key), every
// operation fails with `cancelled` and says why.
//
// The mark is read by one GET: at most every kMarkPause while the worker finds that objects it waits for are missing,
// and at most every kBusyMarkPause otherwise. That is at most 720 or 360 GETs an hour.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "store/stoppable_store.h"
#include "store/store.h"

namespace funcpipe {

inline constexpr Seconds kMarkPause = 5, kBusyMarkPause = 10;

// Thread-safe if `store` is. `store` and `clock` must outlive it. `clock` must count the platform's seconds.
class JobStore final : public Store, public Stoppable {
 public:
  JobStore(Store& store, const std::string& prefix, Clock& clock);

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;
  std::unique_ptr<Store> until(std::stop_token stop) override;

 private:
  struct Mark;  // what all views know of the mark
  JobStore(std::unique_ptr<Store> view, std::shared_ptr<Mark> mark);
  Result<> go_on(Seconds pause);

  const std::unique_ptr<Store> view_;  // set if this is a view itself
  Store& store_;
  const std::shared_ptr<Mark> mark_;
};

}  // namespace funcpipe
