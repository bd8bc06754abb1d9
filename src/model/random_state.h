// While a RandomDraws lives, only the thread that made it may draw from libtorch's default CPU generator. That
// generator is shared by the whole process.
#pragma once

#include <cstdint>
#include <mutex>

namespace funcpipe {

class RandomDraws {
 public:
  explicit RandomDraws(std::uint64_t seed);  // waits until no other holder is left, then seeds the generator

 private:
  std::unique_lock<std::mutex> only_one_;
};

}  // namespace funcpipe
