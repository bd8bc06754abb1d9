#include "base/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

namespace funcpipe {

std::string format_bytes(Bytes bytes) {
  static constexpr std::array<const char*, 5> kNames = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (std::abs(value) >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string format_rate(BytesPerSecond rate) {
  static constexpr std::array<const char*, 4> kNames = {"B/s", "kB/s", "MB/s", "GB/s"};
  std::size_t unit = 0;
  while (std::abs(rate) >= 1000 && unit + 1 < kNames.size()) {
    rate /= 1000;
    ++unit;
  }
  return fmt::format("{:.1f} {}", rate, kNames[unit]);
}

std::string format_seconds(Seconds seconds) {
  const double size = std::abs(seconds);
  if (size == 0) return "0 s";
  if (size < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (size < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (size < 120) return fmt::format("{:.2f} s", seconds);
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (size < 7200) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

std::string format_dollars(Dollars dollars) {
  if (dollars == 0) return "$0.00";
  const int first_place = static_cast<int>(std::floor(std::log10(std::abs(dollars))));
  const int places = std::clamp(2 - first_place, 2, 10);
  return fmt::format("${:.{}f}", dollars, places);
}

Result<Bytes> parse_bytes(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 11> kUnits = {{{"", 1},
                                                                                  {"b", 1},
                                                                                  {"kb", 1e3},
                                                                                  {"mb", 1e6},
                                                                                  {"gb", 1e9},
                                                                                  {"kib", 1024.0},
                                                                                  {"mib", 1048576.0},
                                                                                  {"gib", 1073741824.0},
                                                                                  {"k", 1024.0},
                                                                                  {"m", 1048576.0},
                                                                                  {"g", 1073741824.0}}};
  constexpr double kMostBytes = 9e18;  // Larger numbers do not fit into Bytes.
  double value = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string unit;
  for (const char* c = rest; c != text.data() + text.size(); ++c)
    if (*c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(*c)));
  const auto* found = std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& u) { return u.first == unit; });
  const double bytes = found == kUnits.end() ? -1 : value * found->second;
  // The condition is false for NaN as well.
  if (status != std::errc{} || !(bytes >= 0 && bytes < kMostBytes))
    return fail(ErrorCode::invalid_input, fmt::format("not a size: '{}'", text), {},
                "write a number and a unit, for example 512 MiB or 70 MB");
  return static_cast<Bytes>(std::llround(bytes));
}

}  // namespace funcpipe
