#include "simulator/latency.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

// The standard normal distribution function at k/8 times its 99th percentile 2.32634787404, for k = -16 .. 16.
constexpr std::array kProbabilities = {1.6381173918546735e-06,
                                       6.44682346866402e-06,
                                       2.3394945968433597e-05,
                                       7.831494043221533e-05,
                                       0.0002419427843202428,
                                       0.0006901758952253479,
                                       0.001819120669047146,
                                       0.004433480623693575,
                                       0.01,
                                       0.020897560858255962,
                                       0.04051324828361955,
                                       0.07297766936757882,
                                       0.12237946934590263,
                                       0.19150043033552488,
                                       0.28042246135575616,
                                       0.38560463446259724,
                                       0.5,
                                       0.6143953655374027,
                                       0.7195775386442439,
                                       0.8084995696744651,
                                       0.8776205306540974,
                                       0.9270223306324212,
                                       0.9594867517163804,
                                       0.979102439141744,
                                       0.99,
                                       0.9955665193763065,
                                       0.9981808793309529,
                                       0.9993098241047746,
                                       0.9997580572156798,
                                       0.9999216850595678,
                                       0.9999766050540315,
                                       0.9999935531765314,
                                       0.9999983618826082};

}  // namespace

LatencyDistribution::LatencyDistribution(Seconds median, Seconds p99) {
  static_assert(kProbabilities.size() == kPoints);
  constexpr int kMiddle = kPoints / 2;
  // The ratio of neighbouring points, the eighth root of p99 / median.
  const double step = median > 0 ? std::sqrt(std::sqrt(std::sqrt(std::max(1.0, p99 / median)))) : 1;
  points_[kMiddle] = median;
  for (int k = 1; k <= kMiddle; ++k) {
    points_[kMiddle + k] = points_[kMiddle + k - 1] * step;
    points_[kMiddle - k] = points_[kMiddle - k + 1] / step;
  }
}

Seconds LatencyDistribution::quantile(double u) const {
  const auto above = std::upper_bound(kProbabilities.begin(), kProbabilities.end(), u);
  if (above == kProbabilities.begin()) return points_.front();
  if (above == kProbabilities.end()) return points_.back();
  const auto i = static_cast<std::size_t>(above - kProbabilities.begin());
  const double part = (u - kProbabilities[i - 1]) / (kProbabilities[i] - kProbabilities[i - 1]);
  return points_[i - 1] + part * (points_[i] - points_[i - 1]);
}

}  // namespace funcpipe
