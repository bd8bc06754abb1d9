// A worker's snapshots in the store: the newest two, so that one that is damaged does not end the job.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "plan/plan.h"
#include "protocol/worker_ledger.h"
#include "store/store.h"
#include "worker/claim.h"
#include "worker/snapshot.h"

namespace funcpipe {

// Used by one thread. `store` outlives it.
class SnapshotStore {
 public:
  // `incarnation`: of this life (WorkerInvocation).
  SnapshotStore(Store& store, std::string prefix, WorkerId worker, std::int64_t incarnation);

  // Claims the worker for this life, then finds the newest snapshot that is whole; nullopt: there is none, so the
  // worker begins with its stage file. One that is damaged is passed over, with a line on standard error. Costs a LIST,
  // two GETs and a PUT. Errors: the store's; cancelled: a later life has begun; invalid_input: a snapshot of another
  // release.
  Result<std::optional<Snapshot>> newest();

  // Stores it, then removes all but the newest two. A snapshot that cannot be removed is only in the way. Error:
  // cancelled: a later life has begun, and nothing was done.
  Result<> save(const Snapshot& snapshot);

  // The older of the two that are kept: what the worker may have to begin from. {0, 0}: its stage file.
  Progress oldest() const;

 private:
  struct Kept {
    Progress progress;
    std::string key;
  };

  Result<std::optional<Snapshot>> newest_listed(bool& gone);

  Store& store_;
  Claim claim_;
  const std::string prefix_;
  const WorkerId worker_;
  std::vector<Kept> kept_;  // oldest first
};

}  // namespace funcpipe
