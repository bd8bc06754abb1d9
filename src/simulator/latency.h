// The time that the store takes to answer.
#pragma once

#include <array>
#include <cstdint>

#include "base/units.h"

namespace funcpipe {

// A log-normal distribution given by its median and 99th percentile; a constant if these are equal. Thread-safe.
//
// A trace has to have the same bytes on every machine. So quantiles are computed from a table with square roots, sums,
// products and quotients, which IEEE 754 rounds alike everywhere, and not with exp and log of a C library. On the
// normal scale the table has a point at every eighth of the distance from the median to the 99th percentile; between
// points the quantile function is linear. The mean is therefore up to 2% above the true one for 99th percentiles of up
// to 8 medians, and no value is beyond 4.65 standard deviations.
class LatencyDistribution {
 public:
  LatencyDistribution(Seconds median, Seconds p99);
  Seconds quantile(double u) const;  // Requires 0 <= u < 1.
  bool constant() const { return points_.front() == points_.back(); }
  Seconds median() const { return points_[kPoints / 2]; }
  Seconds draw(std::uint64_t random) const { return quantile(static_cast<double>(random >> 11) * 0x1p-53); }

 private:
  static constexpr int kPoints = 33;
  std::array<Seconds, kPoints> points_{};
};

}  // namespace funcpipe
