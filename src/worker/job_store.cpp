#include "worker/job_store.h"

#include <limits>
#include <utility>

#include "protocol/job_keys.h"
#include "store/stoppable_store.h"

namespace funcpipe {

struct JobStore::Mark {
  Mark(std::string place, Clock& time) : key(std::move(place)), clock(time) {}

  const std::string key;
  Clock& clock;
  std::mutex mutex;  // guards what follows
  Seconds asked = -std::numeric_limits<double>::infinity();
  std::optional<std::string> reason;
};

JobStore::JobStore(Store& store, const std::string& prefix, Clock& clock)
    : store_(store), mark_(std::make_shared<Mark>(stop_key(prefix), clock)) {}

JobStore::JobStore(std::unique_ptr<Store> view, std::shared_ptr<Mark> mark)
    : view_(std::move(view)), store_(*view_), mark_(std::move(mark)) {}

std::unique_ptr<Store> JobStore::until(std::stop_token stop) {
  return std::unique_ptr<Store>(new JobStore(funcpipe::until(store_, std::move(stop)), mark_));
}

Result<> JobStore::go_on(Seconds pause) {
  bool ask = false;
  {
    const std::lock_guard lock(mark_->mutex);
    const Seconds now = mark_->clock.now();
    ask = !mark_->reason && now - mark_->asked >= pause;
    if (ask) mark_->asked = now;
  }
  // An error of this request is ignored: if the store is still broken, the operation itself will fail.
  if (ask) {
    if (auto found = store_.get_text(mark_->key); found && *found) {
      const std::lock_guard lock(mark_->mutex);
      mark_->reason = std::move(**found);
    }
  }
  const std::lock_guard lock(mark_->mutex);
  if (mark_->reason) return fail(ErrorCode::cancelled, "the job was stopped: " + *mark_->reason, mark_->key);
  return {};
}

Result<PutOutcome> JobStore::put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) {
  FUNCPIPE_TRY_VOID(go_on(kBusyMarkPause));
  return store_.put(key, pieces, mode);
}

Result<std::optional<Bytes>> JobStore::get(const std::string& key, const Destination& destination,
                                           std::optional<ByteRange> range) {
  FUNCPIPE_TRY_VOID(go_on(kBusyMarkPause));
  FUNCPIPE_TRY(size, store_.get(key, destination, range));
  if (!size) FUNCPIPE_TRY_VOID(go_on(kMarkPause));
  return size;
}

Result<std::optional<Bytes>> JobStore::size(const std::string& key) {
  FUNCPIPE_TRY_VOID(go_on(kBusyMarkPause));
  return store_.size(key);
}

Result<> JobStore::remove(std::span<const std::string> keys) {
  FUNCPIPE_TRY_VOID(go_on(kBusyMarkPause));
  return store_.remove(keys);
}

Result<std::vector<ListedObject>> JobStore::list(const std::string& prefix) {
  FUNCPIPE_TRY_VOID(go_on(kBusyMarkPause));
  return store_.list(prefix);
}

}  // namespace funcpipe
