#include "planner/rivals/tpdmp.h"

#include <gtest/gtest.h>

#include <bit>

#include "planner/random_chain.h"

namespace funcpipe {
namespace {

// Of all ways to cut `layers` into `stages`; infinity: none fits.
Seconds least_load(int layers, const StageCosts& costs, int option, int stages) {
  Seconds least = kInfinity;
  for (unsigned cuts = 0; cuts < 1U << (layers - 1); ++cuts) {
    if (std::popcount(cuts) != stages - 1) continue;
    Seconds worst = 0;
    for (int first = 0, end = 1; end <= layers; ++end) {
      if (end < layers && (cuts >> (end - 1) & 1) == 0) continue;
      worst = costs.fits(first, end, option) ? std::max(worst, device_load(costs.of(first, end, option), costs.more()))
                                             : kInfinity;
      first = end;
    }
    least = std::min(least, worst);
  }
  return least;
}

TEST(Tpdmp, PartitionsAreTheBestThereAre) {
  int compared = 0;
  for (int seed = 0; seed < 100; ++seed) {
    std::mt19937_64 random(seed);
    const int layers = 1 + seed % 9;
    const Chain chain = random_chain(random, layers, 3);
    const SpanTable spans(chain);
    for (const int replicas : {1, 3}) {
      const StageCosts costs(chain, spans, {.micro_batches = 6, .replicas = replicas}, {});
      for (int option = 0; option < 3; ++option) {
        const auto partitions = balanced_partitions(layers, costs, option, layers);
        ASSERT_EQ(std::ssize(partitions), layers);
        for (int stages = 1; stages <= layers; ++stages) {
          const Seconds least = least_load(layers, costs, option, stages);
          const auto& ends = partitions[stages - 1];
          ASSERT_EQ(ends.has_value(), least < kInfinity);
          if (!ends) continue;
          ASSERT_EQ(std::ssize(*ends), stages);
          Seconds worst = 0;
          for (std::size_t k = 0; k < ends->size(); ++k)
            worst =
                std::max(worst, device_load(costs.of(k == 0 ? 0 : (*ends)[k - 1], (*ends)[k], option), costs.more()));
          EXPECT_DOUBLE_EQ(worst, least);
          ++compared;
        }
      }
    }
  }
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace funcpipe
