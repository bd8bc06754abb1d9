#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {

Seconds backoff(const RetryPolicy& policy, int tries_done, std::uint64_t random) {
  const Seconds longest = std::min(policy.longest_delay, std::ldexp(policy.first_delay, tries_done - 1));
  return static_cast<double>(random >> 11) * 0x1p-53 * longest;
}

}  // namespace funcpipe
