#include "emulator/s3/crc64nvme.h"

#include <array>
#include <cstring>

namespace funcpipe {
namespace {

constexpr std::uint64_t kReflected = 0x9A6C9329AC4BC9B5;
constexpr std::size_t kSlices = 8;  // bytes processed at once

using Tables = std::array<std::array<std::uint64_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint64_t byte = 0; byte < 256; ++byte) {
    std::uint64_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kReflected : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice)
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t last = tables[slice - 1][byte];
      tables[slice][byte] = (last >> 8) ^ tables[0][last & 0xff];
    }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint64_t crc64nvme(std::span<const std::byte> bytes, std::uint64_t before) {
  std::uint64_t crc = ~before;
  while (bytes.size() >= kSlices) {
    std::uint64_t word = 0;  // little-endian, as are all machines this runs on
    std::memcpy(&word, bytes.data(), kSlices);
    crc ^= word;
    std::uint64_t next = 0;
    for (std::size_t i = 0; i < kSlices; ++i) next ^= kTables[kSlices - 1 - i][(crc >> (8 * i)) & 0xff];
    crc = next;
    bytes = bytes.subspan(kSlices);
  }
  for (const std::byte byte : bytes) crc = (crc >> 8) ^ kTables[0][(crc ^ static_cast<std::uint64_t>(byte)) & 0xff];
  return ~crc;
}

}  // namespace funcpipe
