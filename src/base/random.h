// Stateless randomness: every value is a function of what it is for, so a replay, another cut or another machine
// draws the same.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace funcpipe {

// A well-mixed 64-bit value of (seed, words...), by chained SplitMix64 finalisers (Steele et al., OOPSLA 2014).
std::uint64_t mix(std::uint64_t seed, std::initializer_list<std::uint64_t> words);

// A permutation of 0..size-1, evaluated point by point in O(1) memory: a four-round Feistel network over the next even
// power of two, cycle-walked into range (Black and Rogaway, CT-RSA 2002).
class Permutation {
 public:
  Permutation(std::uint64_t size, std::uint64_t seed);
  std::uint64_t size() const { return size_; }
  std::uint64_t operator()(std::uint64_t index) const;  // index < size

 private:
  std::uint64_t size_;
  std::uint64_t seed_;
  int half_bits_;
};

}  // namespace funcpipe
