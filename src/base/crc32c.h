// CRC-32C (Castagnoli), the checksum of S3's x-amz-checksum-crc32c and of our tensors on the wire; ISA-L computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace funcpipe {

// The checksum of `bytes` appended to data whose checksum is `so_far` (0 for none).
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far = 0);

}  // namespace funcpipe
