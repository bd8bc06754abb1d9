#include "schedule/all_reduce.h"

namespace funcpipe {

Slice shard(std::int64_t elements, int replicas, int index) {
  // Without the product elements*replicas, which could overflow.
  const std::int64_t quotient = elements / replicas;
  const std::int64_t remainder = elements % replicas;
  const auto begin = [&](std::int64_t i) { return quotient * i + remainder * i / replicas; };
  return {begin(index), begin(index + 1) - begin(index)};
}

}  // namespace funcpipe
