// Puts the CPU's caches into the state in which a pass over a whole model finds them: full of other layers' bytes.
#pragma once

#include <vector>

#include "base/units.h"

namespace funcpipe {

class CacheSweep {
 public:
  // Holds `bytes` of memory, more than kMost never: no cache is larger by much.
  explicit CacheSweep(Bytes bytes);

  void run();

  static constexpr Bytes kMost = 64 * kMiB;

 private:
  std::vector<std::uint64_t> others_;
};

}  // namespace funcpipe
