// Views of memory as bytes. They own nothing.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace funcpipe {

using ConstBytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

inline ConstBytes as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace funcpipe
