// CRC-64/NVME, the checksum S3 gives every object by default: polynomial 0xAD93D23594C93659, reflected, all ones at the
// start and flipped at the end. https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-64-nvme
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace funcpipe {

// Continues from the checksum of what came before, 0 at the start. The check value, of "123456789", is
// 0xae8b14860a799888.
std::uint64_t crc64nvme(std::span<const std::byte> bytes, std::uint64_t before = 0);

}  // namespace funcpipe
