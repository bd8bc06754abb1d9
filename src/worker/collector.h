// Removes the objects that a worker is responsible for once nobody can ask for them again: every reader's ledger
// (protocol/worker_ledger.h) is past them. Where a lost worker can be replayed this takes the place of the release that
// a program asks for.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "protocol/programs.h"
#include "protocol/worker_ledger.h"
#include "schedule/operation.h"
#include "store/store.h"

namespace funcpipe {

// Used by one thread, but for is_collected(), which several may call once resume() is done.
class Collector {
 public:
  // Keeps the reference to `store`.
  Collector(Store& store, std::string prefix, const Programs& programs);

  // A life begins from a snapshot, or from the stage file, that is not the worker's first. What former lives have
  // removed is in the ledgers: one GET each. Error: corrupt: others count on a newer snapshot, which is damaged.
  Result<> resume(Progress from);

  // The worker may begin again from `oldest`, and from nothing before: tells the others, and removes what all readers
  // are past. Costs a PUT and a GET per reader. Objects that cannot be removed are removed the next time.
  Result<> saved(Progress oldest);

  // Whether every reader was past the object when this life began, so that it would only lie around if it were
  // published again. `round`: the object belongs to a round of validation, which `iteration` counts.
  bool is_collected(std::int64_t iteration, const ObjectName& name, bool round) const;

 private:
  // Objects of one iteration, or of one round, that this worker removes; and who has to be past them.
  struct Share {
    std::vector<ObjectName> removed;
    std::set<WorkerId> readers;
    std::map<ObjectName, std::vector<WorkerId>> published;  // readers of what this worker publishes
  };

  static Share share_of(const Program& program);
  Result<> read_readers();
  std::int64_t least(const Share& share, std::int64_t own, std::int64_t Progress::*member) const;
  Result<std::int64_t> remove(const Share& share, const std::string& prefix, std::int64_t first, std::int64_t end);

  Store& store_;
  const std::string prefix_;
  const WorkerId worker_;
  const Share training_, validation_;
  WorkerLedger own_;
  std::map<WorkerId, Progress> readers_;   // as far as their ledgers are known to be
  std::map<WorkerId, Progress> at_begin_;  // as they were when this life resumed
};

}  // namespace funcpipe
