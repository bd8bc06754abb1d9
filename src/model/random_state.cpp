#include "model/random_state.h"

#include <ATen/CPUGeneratorImpl.h>

namespace funcpipe {
namespace {

// One for the process, like the generator it guards: several workers may be threads of one process.
std::mutex& default_generator_in_use() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

RandomDraws::RandomDraws(std::uint64_t seed) : only_one_(default_generator_in_use()) {
  auto generator = at::detail::getDefaultCPUGenerator();
  const std::scoped_lock lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace funcpipe
