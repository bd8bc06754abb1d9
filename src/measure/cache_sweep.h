// Fills the CPU's caches with other bytes, as the other layers do in a pass over a whole model.
#pragma once

#include <vector>

#include "base/units.h"

namespace funcpipe {

class CacheSweep {
 public:
  // Uses `bytes` of memory, but at most kMost, as no cache is much larger.
  explicit CacheSweep(Bytes bytes);

  void run();

  static constexpr Bytes kMost = 64 * kMiB;

 private:
  std::vector<std::uint64_t> others_;
};

}  // namespace funcpipe
