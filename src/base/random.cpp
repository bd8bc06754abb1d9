#include "base/random.h"

#include <bit>

#include "base/check.h"

namespace funcpipe {
namespace {

std::uint64_t finalise(std::uint64_t z) {
  z += 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::uint64_t mix(std::uint64_t seed, std::initializer_list<std::uint64_t> words) {
  std::uint64_t state = finalise(seed);
  for (const std::uint64_t word : words) state = finalise(state ^ word);
  return state;
}

Permutation::Permutation(std::uint64_t size, std::uint64_t seed)
    : size_(size), seed_(seed), half_bits_((std::bit_width(size > 0 ? size - 1 : 0) + 1) / 2) {}

std::uint64_t Permutation::operator()(std::uint64_t index) const {
  FUNCPIPE_CHECK(index < size_, "index {} size {}", index, size_);
  if (size_ == 1) return 0;
  const std::uint64_t mask = (1ULL << half_bits_) - 1;
  do {
    std::uint64_t left = index >> half_bits_;
    std::uint64_t right = index & mask;
    for (std::uint64_t round = 0; round < 4; ++round) {
      const std::uint64_t next = left ^ (mix(seed_, {round, right}) & mask);
      left = right;
      right = next;
    }
    index = (left << half_bits_) | right;
  } while (index >= size_);
  return index;
}

}  // namespace funcpipe
