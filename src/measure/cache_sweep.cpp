#include "measure/cache_sweep.h"

#include <algorithm>

namespace funcpipe {
namespace {

constexpr std::size_t kPerLine = 64 / sizeof(std::uint64_t);

}  // namespace

CacheSweep::CacheSweep(Bytes bytes)
    : others_(static_cast<std::size_t>(std::clamp<Bytes>(bytes, 0, kMost)) / sizeof(std::uint64_t)) {}

void CacheSweep::run() {
  // Writes rather than reads, as a pass does most of the time: replacing an unchanged cache line costs less.
  for (std::size_t i = 0; i < others_.size(); i += kPerLine) ++others_[i];
}

}  // namespace funcpipe
