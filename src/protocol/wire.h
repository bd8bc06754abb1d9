// Tensors on the wire: a tuple of raw, little-endian tensors behind a small header, docs/formats/tensors.md. Needs no
// libtorch. Payloads lie at multiples of 64 bytes from the start of the object: received into a buffer aligned so, they
// can be computed on where they are.
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

// The codes are part of the format.
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
std::optional<ElementType> element_type(std::string_view name);  // the reverse

// A contiguous tensor, row-major; the bytes belong to somebody else. No dimensions: a scalar.
struct WireTensor {
  ElementType type = ElementType::float32;
  std::vector<std::int64_t> shape;
  ConstBytes bytes;
};

// What to upload, in order: the header, then the callers' bytes with padding between. `pieces` refers to `header` and
// to the tensors' bytes. Movable, not copyable.
struct EncodedTensors {
  std::vector<std::byte> header;
  std::vector<ConstBytes> pieces;
  Bytes size = 0;

  EncodedTensors() = default;
  EncodedTensors(EncodedTensors&&) = default;
  EncodedTensors& operator=(EncodedTensors&&) = default;
};

// At most 65,535 tensors of at most 64 dimensions, each with as many bytes as its shape says (both checked).
EncodedTensors encode_tensors(std::span<const WireTensor> tensors);

// Views into `object`. Believes nothing: sizes, overflow, offsets, types and both checksums are verified.
// Errors: corrupt, at `place` (the key).
Result<std::vector<WireTensor>> decode_tensors(ConstBytes object, const std::string& place);

}  // namespace funcpipe
