// Names for the units of plain numbers, and functions that write and read quantities as text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

using Bytes = std::int64_t;
using Seconds = double;
using BytesPerSecond = double;
using Dollars = double;

inline constexpr Bytes kKiB = 1024;
inline constexpr Bytes kMiB = 1024 * kKiB;
inline constexpr Bytes kGiB = 1024 * kMiB;

std::string format_bytes(Bytes bytes);         // with binary prefixes: "1.5 MiB"
std::string format_rate(BytesPerSecond rate);  // with decimal prefixes: "70.0 MB/s"
std::string format_seconds(Seconds seconds);   // "850 us", "12.3 ms", "4.21 s", "3 min 20 s", "2 h 05 min"
std::string format_dollars(Dollars dollars);   // three significant digits, at least two decimals: "$0.00112"

// Parses "64", "64 B", "10 kB", "10 KiB", "1.5 MB", "2 GiB", "2G", ...: no unit means bytes, and k, m and g alone mean
// KiB, MiB and GiB. Upper and lower case are the same. Error: invalid_input, for a negative number or another unit too.
Result<Bytes> parse_bytes(std::string_view text);

}  // namespace funcpipe
