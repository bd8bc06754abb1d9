// Which of a worker's lives counts. A life that the client believes lost may still run; it must neither save a snapshot
// nor remove anything once another one has begun.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"
#include "plan/plan.h"
#include "store/store.h"

namespace funcpipe {

// `store` outlives it. Not thread-safe.
class Claim {
 public:
  // `incarnation`: of this life (WorkerInvocation). The first one, 0, claims nothing.
  Claim(Store& store, const std::string& prefix, WorkerId worker, std::int64_t incarnation);

  // This life begins: earlier ones end at their next check. Costs a GET and a PUT, nothing if it is the first one.
  // Errors: those of check() and of the store.
  Result<> take();
  // Error: cancelled: a later life has begun.
  Result<> check();

 private:
  Store& store_;
  const std::string key_;
  const WorkerId worker_;
  const std::int64_t incarnation_;
};

}  // namespace funcpipe
