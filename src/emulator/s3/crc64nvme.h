// CRC-64/NVME, the checksum that S3 gives every object by default: polynomial 0xAD93D23594C93659, reflected; the
// register starts with all ones and is inverted at the end. Source:
// https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace funcpipe {

// Continues from `before`, the checksum of the bytes before these (0 at the start). The checksum of "123456789" is
// 0xae8b14860a799888.
std::uint64_t crc64nvme(std::span<const std::byte> bytes, std::uint64_t before = 0);

}  // namespace funcpipe
