#include "emulator/lambda/bounded_json.h"

namespace funcpipe {
namespace {

// Counts brackets and commas outside of strings, without parsing.
bool within_bounds(std::string_view text) {
  int depth = 0;
  std::size_t values = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if ((c == '[' || c == '{') && ++depth > kDeepestJson) return false;
    if (c == ']' || c == '}') --depth;
    if ((c == ',' || c == '[' || c == '{') && ++values > kMostJsonValues) return false;
  }
  return true;
}

}  // namespace

std::optional<nlohmann::json> parse_bounded_json(std::string_view text) {
  if (!within_bounds(text)) return {};
  auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return {};
  return json;
}

std::string to_text(const nlohmann::json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/false, nlohmann::json::error_handler_t::replace);
}

}  // namespace funcpipe
