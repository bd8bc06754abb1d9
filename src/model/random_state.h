// libtorch's default CPU generator belongs to the whole process. While a RandomDraws lives, its maker alone may draw.
#pragma once

#include <cstdint>
#include <mutex>

namespace funcpipe {

class RandomDraws {
 public:
  explicit RandomDraws(std::uint64_t seed);  // waits for other holders, then seeds the generator

 private:
  std::unique_lock<std::mutex> only_one_;
};

}  // namespace funcpipe
