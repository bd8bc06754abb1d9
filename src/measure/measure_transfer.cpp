#include "measure/measure_transfer.h"

#include <algorithm>
#include <vector>

#include "measure/cpu_rate.h"

namespace funcpipe {
namespace {

// Returns the CPU seconds of one request: the mean over `pairs` of a PUT and a GET, after one pair that opens
// connections.
Result<Seconds> cpu_of_request(Store& store, const std::string& key, Bytes size, int pairs) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(size), std::byte{7});
  const ConstBytes piece(bytes);
  const Destination into = [&](Bytes) -> Result<MutableBytes> { return MutableBytes(bytes); };
  Seconds start = 0;
  for (int i = -1; i < pairs; ++i) {
    if (i == 0) start = process_cpu_time();
    FUNCPIPE_TRY_VOID(store.put(key, std::span(&piece, 1)));
    FUNCPIPE_TRY_VOID(store.get(key, into));
  }
  return (process_cpu_time() - start) / (2 * pairs);
}

}  // namespace

Result<TransferCost> measure_transfer(Store& store, const std::string& key, Bytes large) {
  constexpr Bytes kSmall = kKiB;
  constexpr int kSmallPairs = 12, kLargePairs = 6;
  FUNCPIPE_TRY(small_cpu, cpu_of_request(store, key, kSmall, kSmallPairs));
  FUNCPIPE_TRY(large_cpu, cpu_of_request(store, key, large, kLargePairs));
  FUNCPIPE_TRY_VOID(store.remove(std::span(&key, 1)));
  TransferCost cost;
  cost.per_byte = std::max(0.0, large_cpu - small_cpu) / static_cast<double>(large - kSmall);
  cost.per_request = std::max(0.0, small_cpu - cost.per_byte * static_cast<double>(kSmall));
  return cost;
}

}  // namespace funcpipe
