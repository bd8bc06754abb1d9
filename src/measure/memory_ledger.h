// Counts, to the byte, what libtorch's CPU allocator has given to this thread and not got back. Backward passes run on
// the thread that asks for them. Buffers of BLAS and oneDNN are their own and are not counted.
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <memory>

#include "base/units.h"

namespace funcpipe {

class MemoryLedger {
 public:
  MemoryLedger();  // starts to count, on this thread
  ~MemoryLedger();
  MemoryLedger(const MemoryLedger&) = delete;
  MemoryLedger& operator=(const MemoryLedger&) = delete;

  Bytes live() const;  // allocated minus freed since construction
  Bytes peak() const;  // the largest live() since construction or restart_peak()
  void restart_peak();

 private:
  class Account;
  std::shared_ptr<Account> account_;  // shared with libtorch, whose blocks may outlive this object
  c10::DebugInfoGuard guard_;
};

}  // namespace funcpipe
