// How long the store takes to answer.
#pragma once

#include <array>
#include <cstdint>

#include "base/units.h"

namespace funcpipe {

// Log-normal by its median and 99th percentile; constant where they are equal.
//
// Quantiles come from a table and square roots, sums and products, which IEEE 754 rounds alike everywhere; exp and log
// of a C library do not, and a trace shall be the same to the byte on every machine. Between the points of the table
// (an eighth of the way from median to 99th percentile apart, on the normal scale) the quantile function is a straight
// line; the mean is so less than 2% above the true one for 99th percentiles of up to 8 medians, and no value is beyond
// the 4.65-sigma points.
class LatencyDistribution {
 public:
  LatencyDistribution(Seconds median, Seconds p99);
  Seconds quantile(double u) const;  // 0 <= u < 1
  bool constant() const { return points_.front() == points_.back(); }
  Seconds median() const { return points_[kPoints / 2]; }
  Seconds draw(std::uint64_t random) const { return quantile(static_cast<double>(random >> 11) * 0x1p-53); }

 private:
  static constexpr int kPoints = 33;
  std::array<Seconds, kPoints> points_{};
};

}  // namespace funcpipe
