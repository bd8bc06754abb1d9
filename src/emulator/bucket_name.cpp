#include "emulator/bucket_name.h"

#include <algorithm>
#include <array>

namespace funcpipe {
namespace {

// True for four groups of digits, even if a group is too large for a byte of an address.
bool looks_like_ipv4(std::string_view text) {
  return std::count(text.begin(), text.end(), '.') == 3 &&
         text.find_first_not_of("0123456789.") == std::string_view::npos;
}

constexpr std::array<std::string_view, 3> kPrefixes = {"xn--", "sthree-", "amzn-s3-demo-"};
constexpr std::array<std::string_view, 5> kSuffixes = {"-s3alias", "--ol-s3", "--x-s3", "--table-s3", ".mrap"};

}  // namespace

bool valid_bucket_name(std::string_view name) {
  const auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() >= 3 && name.size() <= 63 && letter_or_digit(name.front()) && letter_or_digit(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter_or_digit(c) || c == '-' || c == '.'; }) &&
         name.find("..") == std::string_view::npos;
}

bool reserved_bucket_name(std::string_view name) {
  return looks_like_ipv4(name) ||
         std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](auto prefix) { return name.starts_with(prefix); }) ||
         std::any_of(kSuffixes.begin(), kSuffixes.end(), [&](auto suffix) { return name.ends_with(suffix); });
}

}  // namespace funcpipe
