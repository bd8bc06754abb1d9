#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {

Seconds backoff(const RetryPolicy& policy, int tries_done, std::uint64_t random) {
  const Seconds longest = std::min(policy.longest_delay, std::ldexp(policy.first_delay, tries_done - 1));
  return static_cast<double>(random >> 11) * 0x1p-53 * longest;
}

std::optional<Seconds> Repeats::pause_after(const FailedTries& tries) {
  const Seconds pause = backoff(policy_, tries.count, tries.random) + tries.asked_pause;
  if ((tries.count >= policy_.tries && !tries.any_number) || tries.elapsed + pause > tries.limit) return std::nullopt;
  if (budget_tenths_ < 10) return std::nullopt;
  budget_tenths_ -= 10;
  return pause;
}

void Repeats::succeeded() {
  budget_tenths_ = std::min(budget_tenths_ + 1, static_cast<std::int64_t>(policy_.budget * 10));
}

}  // namespace funcpipe
