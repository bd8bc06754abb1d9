// CRC-32C (Castagnoli): the checksum in S3's header x-amz-checksum-crc32c and in our tensor format
// (docs/formats/tensors.md). The ISA-L library computes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace funcpipe {

// Returns the checksum of some data with `bytes` appended. `so_far` is the checksum of that data, 0 if it is empty.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t so_far = 0);

}  // namespace funcpipe
