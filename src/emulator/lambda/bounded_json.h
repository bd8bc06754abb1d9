// Parses JSON from senders that are not trusted. Text that is nested too deeply, or has more values than a request of
// the Lambda API can need, is not parsed, so it can exhaust neither the stack nor the memory.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace funcpipe {

inline constexpr int kDeepestJson = 64;
inline constexpr std::size_t kMostJsonValues = 10'000;

// Returns nullopt if the text is malformed, nested too deeply, or has too many values.
std::optional<nlohmann::json> parse_bounded_json(std::string_view text);

// Returns the JSON as text. Bytes that are not UTF-8 are replaced.
std::string to_text(const nlohmann::json& json);

}  // namespace funcpipe
