#include "base/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace funcpipe {

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far) {
  constexpr std::size_t kPiece = 1U << 30;  // ISA-L counts in int
  std::uint32_t crc = ~so_far;
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    // ISA-L's prototype lacks const; it only reads.
    crc = crc32_iscsi(reinterpret_cast<unsigned char*>(const_cast<std::byte*>(piece.data())),
                      static_cast<int>(piece.size()), crc);
    bytes = bytes.subspan(piece.size());
  }
  return ~crc;
}

}  // namespace funcpipe
