// Quantities are plain numbers whose name says the unit; these aliases say it where a name cannot.
// Text forms: "512 MiB", "70 MB/s", "12.3 ms", "$0.00112".
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

std::string format_bytes(Bytes bytes);         // binary prefixes: "1.5 MiB"
std::string format_rate(BytesPerSecond rate);  // decimal prefixes: "70.0 MB/s"
std::string format_seconds(Seconds seconds);   // "850 us", "12.3 ms", "4.21 s", "3 min 20 s", "2 h 05 min"
std::string format_dollars(Dollars dollars);   // two significant places beyond the first non-zero one: "$0.00112"

// "64", "64 B", "10 kB", "10 KiB", "1.5 MB", "2 GiB", ...; no unit means bytes. Negative or unknown: invalid_input.
Result<Bytes> parse_bytes(std::string_view text);

}  // namespace funcpipe
