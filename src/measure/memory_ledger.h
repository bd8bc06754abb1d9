// What libtorch's CPU allocator has handed out to this thread and not got back, to the byte. (Backward passes run on
// the thread that asks for them; buffers of BLAS and oneDNN are their own and not seen here.)
#pragma once

#include <c10/util/ThreadLocalDebugInfo.h>

#include <memory>

#include "base/units.h"

namespace funcpipe {

class MemoryLedger {
 public:
  MemoryLedger();  // counts from here on, on this thread
  ~MemoryLedger();
  MemoryLedger(const MemoryLedger&) = delete;
  MemoryLedger& operator=(const MemoryLedger&) = delete;

  Bytes live() const;  // allocated less freed since construction; of blocks from before, frees do not count
  Bytes peak() const;  // the most live() has been since construction or restart_peak()
  void restart_peak();

 private:
  class Account;
  std::shared_ptr<Account> account_;  // shared with libtorch, whose blocks may outlive us
  c10::DebugInfoGuard guard_;
};

}  // namespace funcpipe
