#include "worker/peak_memory.h"

#include <fstream>
#include <string>

namespace funcpipe {

Bytes peak_memory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    Bytes kibibytes = 0;
    status >> kibibytes;
    return kibibytes * kKiB;
  }
  return 0;
}

}  // namespace funcpipe
