// Random numbers without a state: every value is a function of a seed and of what the value is for. A replay, another
// cut of the model or another machine therefore draws the same values. Thread-safe.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace funcpipe {

// Hashes (seed, words...) to 64 bits by chained SplitMix64 finalisers (Steele et al., OOPSLA 2014).
std::uint64_t mix(std::uint64_t seed, std::initializer_list<std::uint64_t> words);

// A pseudo-random permutation of 0..size-1 that takes O(1) memory. It is a four-round Feistel network over the smallest
// power of four that is at least `size`; values outside the range are permuted again until they fall into it ("cycle
// walking": Black and Rogaway, CT-RSA 2002).
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed);
  std::uint64_t size() const { return size_; }
  std::uint64_t operator()(std::uint64_t index) const;  // Requires index < size.

 private:
  std::uint64_t size_;
  std::uint64_t seed_;
  int half_bits_;
};

}  // namespace funcpipe
