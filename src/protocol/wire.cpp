#include "protocol/wire.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/crc32c.h"

namespace funcpipe {
namespace {

static_assert(std::endian::native == std::endian::little, "payloads travel as they lie in memory");

constexpr std::array<char, 4> kMagic{'F', 'P', 'T', 'N'};
constexpr std::uint16_t kVersion = 1;
constexpr std::size_t kMostDimensions = 64;
constexpr std::size_t kMostTensors = std::numeric_limits<std::uint16_t>::max();

// The fixed part of the header. It is followed by one Entry for each tensor, each followed by its dimensions, then by
// zeros up to the payload.
struct Fixed {
  std::array<char, 4> magic = kMagic;
  std::uint16_t version = kVersion;
  std::uint16_t tensors = 0;
  std::uint32_t header_bytes = 0;
  std::uint32_t header_crc = 0;  // of the whole header, with this field as 0
  std::uint32_t payload_crc = 0;
  std::uint32_t reserved = 0;
  std::uint64_t payload_bytes = 0;
};
static_assert(sizeof(Fixed) == 32);

struct Entry {
  std::uint8_t type = 0;
  std::uint8_t dimensions = 0;
  std::uint16_t reserved = 0;
  std::uint32_t reserved_too = 0;
  std::uint64_t offset = 0;  // from the start of the object
};
static_assert(sizeof(Entry) == 16);

struct TypeName {
  ElementType type;
  std::string_view name;
  Bytes size;
};
constexpr std::array<TypeName, 12> kTypes{{{ElementType::float32, "float32", 4},
                                           {ElementType::float64, "float64", 8},
                                           {ElementType::float16, "float16", 2},
                                           {ElementType::bfloat16, "bfloat16", 2},
                                           {ElementType::uint8, "uint8", 1},
                                           {ElementType::int8, "int8", 1},
                                           {ElementType::int16, "int16", 2},
                                           {ElementType::int32, "int32", 4},
                                           {ElementType::int64, "int64", 8},
                                           {ElementType::boolean, "bool", 1},
                                           {ElementType::complex64, "complex64", 8},
                                           {ElementType::complex128, "complex128", 16}}};

const TypeName* find_type(std::uint8_t code) {
  for (const TypeName& known : kTypes) {
    if (static_cast<std::uint8_t>(known.type) == code) return &known;
  }
  return nullptr;
}

constexpr std::size_t aligned(std::size_t size) {
  return (size + kWireAlignment - 1) / kWireAlignment * kWireAlignment;
}

// Returns nullopt if a dimension is negative or the size is too large.
std::optional<std::uint64_t> bytes_of(std::span<const std::int64_t> shape, Bytes size) {
  std::uint64_t bytes = static_cast<std::uint64_t>(size);
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  bool empty = false;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (dimension == 0) {
      empty = true;
      continue;
    }
    if (bytes > kMost / static_cast<std::uint64_t>(dimension)) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(dimension);
  }
  return empty ? 0 : bytes;
}

constexpr std::array<std::byte, kWireAlignment> kZeros{};

std::uint32_t header_crc(ConstBytes header) {
  constexpr std::size_t kField = offsetof(Fixed, header_crc);
  constexpr std::size_t kAfter = kField + sizeof(Fixed::header_crc);
  std::uint32_t crc = crc32c(header.first(kField));
  crc = crc32c(ConstBytes(kZeros).first(kAfter - kField), crc);
  return crc32c(header.subspan(kAfter), crc);
}

}  // namespace

Bytes element_size(ElementType type) {
  const TypeName* known = find_type(static_cast<std::uint8_t>(type));
  FUNCPIPE_CHECK(known != nullptr, "element type {}", static_cast<int>(type));
  return known->size;
}

std::string_view to_string(ElementType type) {
  const TypeName* known = find_type(static_cast<std::uint8_t>(type));
  return known ? known->name : "unknown";
}

std::optional<ElementType> element_type(std::string_view name) {
  for (const TypeName& known : kTypes) {
    if (known.name == name) return known.type;
  }
  return std::nullopt;
}

EncodedTensors encode_tensors(std::span<const WireTensor> tensors) {
  FUNCPIPE_CHECK(tensors.size() <= kMostTensors, "{} tensors", tensors.size());
  std::size_t header_bytes = sizeof(Fixed);
  for (const WireTensor& tensor : tensors) {
    FUNCPIPE_CHECK(tensor.shape.size() <= kMostDimensions, "{} dimensions", tensor.shape.size());
    const auto bytes = bytes_of(tensor.shape, element_size(tensor.type));
    FUNCPIPE_CHECK(bytes && *bytes == tensor.bytes.size(), "{} bytes for a shape of {}", tensor.bytes.size(),
                   bytes.value_or(0));
    header_bytes += sizeof(Entry) + tensor.shape.size() * sizeof(std::int64_t);
  }
  header_bytes = aligned(header_bytes);

  EncodedTensors encoded;
  encoded.header.assign(header_bytes, std::byte{0});
  encoded.pieces.emplace_back(encoded.header);
  std::byte* at = encoded.header.data() + sizeof(Fixed);
  const auto append = [&](const void* from, std::size_t size) {
    if (size > 0) std::memcpy(at, from, size);
    at += size;
  };
  std::uint32_t payload_crc = 0;
  std::size_t end = header_bytes;
  for (const WireTensor& tensor : tensors) {
    const std::size_t start = aligned(end);
    const ConstBytes padding = ConstBytes(kZeros).first(start - end);
    for (const ConstBytes piece : {padding, tensor.bytes}) {
      if (piece.empty()) continue;
      payload_crc = crc32c(piece, payload_crc);
      encoded.pieces.push_back(piece);
    }
    const Entry entry{.type = static_cast<std::uint8_t>(tensor.type),
                      .dimensions = static_cast<std::uint8_t>(tensor.shape.size()),
                      .offset = start};
    append(&entry, sizeof(entry));
    append(tensor.shape.data(), tensor.shape.size() * sizeof(std::int64_t));
    end = start + tensor.bytes.size();
  }
  Fixed fixed;
  fixed.tensors = static_cast<std::uint16_t>(tensors.size());
  fixed.header_bytes = static_cast<std::uint32_t>(header_bytes);
  fixed.payload_crc = payload_crc;
  fixed.payload_bytes = end - header_bytes;
  std::memcpy(encoded.header.data(), &fixed, sizeof(fixed));
  fixed.header_crc = header_crc(encoded.header);
  std::memcpy(encoded.header.data(), &fixed, sizeof(fixed));
  encoded.size = static_cast<Bytes>(end);
  return encoded;
}

Result<std::vector<WireTensor>> decode_tensors(ConstBytes object, const std::string& place) {
  const auto corrupt = [&](const std::string& what) {
    return fail(ErrorCode::corrupt, "not a tuple of tensors: " + what, place);
  };
  Fixed fixed;
  if (object.size() < sizeof(fixed)) return corrupt(fmt::format("{} bytes, less than a header", object.size()));
  std::memcpy(&fixed, object.data(), sizeof(fixed));
  if (fixed.magic != kMagic) return corrupt("it does not begin with FPTN");
  if (fixed.version != kVersion) {
    return fail(ErrorCode::corrupt,
                fmt::format("tensors in format version {}, this program reads version {}", fixed.version, kVersion),
                place, "all workers of a job must be of one release of funcpipe-worker");
  }
  if (fixed.header_bytes < sizeof(fixed) || fixed.header_bytes % kWireAlignment != 0 ||
      fixed.header_bytes > object.size() || fixed.payload_bytes != object.size() - fixed.header_bytes) {
    return corrupt(fmt::format("a header of {} and a payload of {} in an object of {} bytes", fixed.header_bytes,
                               fixed.payload_bytes, object.size()));
  }
  const ConstBytes header = object.first(fixed.header_bytes);
  if (header_crc(header) != fixed.header_crc) return corrupt("the header's checksum is wrong");
  if (crc32c(object.subspan(fixed.header_bytes)) != fixed.payload_crc)
    return corrupt("the payload's checksum is wrong");

  // Both checksums are right, so the following checks fail only on a faulty or malicious writer.
  std::vector<WireTensor> tensors;
  std::size_t at = sizeof(fixed);
  std::size_t end = fixed.header_bytes;
  for (int i = 0; i < fixed.tensors; ++i) {
    Entry entry;
    if (header.size() - at < sizeof(entry)) return corrupt(fmt::format("the header ends before tensor {}", i));
    std::memcpy(&entry, header.data() + at, sizeof(entry));
    at += sizeof(entry);
    const TypeName* type = find_type(entry.type);
    if (!type) return corrupt(fmt::format("tensor {} has element type {}", i, entry.type));
    const std::size_t shape_bytes = entry.dimensions * sizeof(std::int64_t);
    if (entry.dimensions > kMostDimensions || header.size() - at < shape_bytes) {
      return corrupt(fmt::format("tensor {} has {} dimensions", i, entry.dimensions));
    }
    WireTensor tensor{.type = type->type, .shape = std::vector<std::int64_t>(entry.dimensions)};
    if (shape_bytes > 0) std::memcpy(tensor.shape.data(), header.data() + at, shape_bytes);
    at += shape_bytes;
    const auto bytes = bytes_of(tensor.shape, type->size);
    const std::size_t start = aligned(end);
    if (!bytes || start > object.size() || entry.offset != start || *bytes > object.size() - start) {
      return corrupt(fmt::format("tensor {} does not fit: {} bytes at {}", i, bytes.value_or(0), entry.offset));
    }
    tensor.bytes = object.subspan(start, *bytes);
    end = start + *bytes;
    tensors.push_back(std::move(tensor));
  }
  if (aligned(at) != header.size()) return corrupt("the header is longer than its tensors");
  if (end != object.size()) return corrupt(fmt::format("{} bytes after the last tensor", object.size() - end));
  return tensors;
}

}  // namespace funcpipe
