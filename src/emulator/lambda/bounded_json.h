// JSON from strangers: parsed only if it is not nested deeply and holds no more values than a request of the Lambda API
// can need, so that neither the stack nor the memory of the one who reads it is at the sender's mercy.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace funcpipe {

inline constexpr int kDeepestJson = 64;
inline constexpr std::size_t kMostJsonValues = 10'000;

// nullopt: malformed, too deep or too many values.
std::optional<nlohmann::json> parse_bounded_json(std::string_view text);

// As text; bytes that are no UTF-8 are replaced.
std::string to_text(const nlohmann::json& json);

}  // namespace funcpipe
