#include "schedule/all_reduce.h"

#include <utility>

namespace funcpipe {

Slice shard(std::int64_t elements, int replicas, int index) {
  // Without the product elements*replicas, which could overflow.
  const std::int64_t quotient = elements / replicas;
  const std::int64_t remainder = elements % replicas;
  const auto begin = [&](std::int64_t i) { return quotient * i + remainder * i / replicas; };
  return {begin(index), begin(index + 1) - begin(index)};
}

void StagedSum::add(Op fetch) {
  if (reduces_.size() >= most_) fetch.after.push_back({reduces_[reduces_.size() - most_], 0});
  const Slice slice = fetch.slice;
  const int source = builder_.add(std::move(fetch));
  reduces_.push_back(builder_.add({.kind = OpKind::reduce, .slice = slice, .source = source}));
}

}  // namespace funcpipe
