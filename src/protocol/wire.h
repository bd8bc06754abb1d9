// The format in which tensors are sent: a tuple of raw, little-endian tensors behind a small header
// (docs/formats/tensors.md). Needs no libtorch. Each payload begins at a multiple of 64 bytes in the object, so in a
// buffer of that alignment it can be used in place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

inline constexpr std::size_t kWireAlignment = 64;

// The codes are part of the format; they must not change.
enum class ElementType : std::uint8_t {
  float32 = 1,
  float64 = 2,
  float16 = 3,
  bfloat16 = 4,
  uint8 = 5,
  int8 = 6,
  int16 = 7,
  int32 = 8,
  int64 = 9,
  boolean = 10,     // one byte, 0 or 1
  complex64 = 11,   // real part, imaginary part
  complex128 = 12,  // likewise
};
Bytes element_size(ElementType type);
std::string_view to_string(ElementType type);                    // PyTorch's short name: "float32", "bool"
std::optional<ElementType> element_type(std::string_view name);  // the inverse of to_string; nullopt for other names

// A contiguous tensor in row-major order. It does not own its bytes. A scalar has no dimensions.
struct WireTensor {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  ConstBytes bytes;
};

// What to upload, in order: the header, then the callers' bytes with padding between them. `pieces` refers to `header`
// and to the tensors' bytes. Movable, not copyable.
struct EncodedTensors {
  std::vector<std::byte> header;
  std::vector<ConstBytes> pieces;
  Bytes size = 0;

  EncodedTensors() = default;
  EncodedTensors(EncodedTensors&&) = default;
  EncodedTensors& operator=(EncodedTensors&&) = default;
};

// Requires at most 65,535 tensors of at most 64 dimensions, each with as many bytes as its shape says. Both are
// checked.
EncodedTensors encode_tensors(std::span<const WireTensor> tensors);

// Returns views into `object`. It trusts nothing: sizes, overflow, offsets, types and both checksums are verified.
// Errors: corrupt, with `place` (the key).
Result<std::vector<WireTensor>> decode_tensors(ConstBytes object, const std::string& place);

}  // namespace funcpipe
