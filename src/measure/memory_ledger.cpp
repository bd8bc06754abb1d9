#include "measure/memory_ledger.h"

#include <c10/core/Allocator.h>
#include <torch/version.h>

#include <algorithm>
#include <atomic>

namespace funcpipe {
namespace {

#if TORCH_VERSION_MAJOR >= 2
using TotalBytes = std::size_t;
#else
using TotalBytes = std::int64_t;
#endif

}  // namespace

// Its members are atomic, because an operation with several threads may allocate on any of them.
class MemoryLedger::Account final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, TotalBytes, TotalBytes, c10::Device) override {
    const Bytes now = live += size;
    Bytes most = peak;
    while (now > most && !peak.compare_exchange_weak(most, now)) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::atomic<Bytes> live = 0, peak = 0;
};

MemoryLedger::MemoryLedger()
    : account_(std::make_shared<Account>()), guard_(c10::DebugInfoKind::PROFILER_STATE, account_) {}
MemoryLedger::~MemoryLedger() = default;

Bytes MemoryLedger::live() const {
  return account_->live;
}
Bytes MemoryLedger::peak() const {
  return account_->peak;
}
void MemoryLedger::restart_peak() {
  account_->peak = account_->live.load();
}

}  // namespace funcpipe
