#include "catalog/toml_file.h"

#include <algorithm>

namespace funcpipe {
namespace {

// FuncPipe's own keys have at most three parts. The library itself limits nested values to a depth of 256.
constexpr int kMostParts = 32;

// Returns the position after the string that begins at `at`, or after its line if the string is not closed.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool is_long = text.substr(at).starts_with(three);
  at += is_long ? 3 : 1;
  while (at < text.size()) {
    if (quote == '"' && text[at] == '\\') {
      at += 2;
    } else if (!is_long && (text[at] == quote || text[at] == '\n')) {
      return at + 1;
    } else if (is_long && text.substr(at).starts_with(three)) {
      at += 3;
      // Up to two quotes may stand right before the closing three: """a""""" is the text a"".
      for (int more = 0; more < 2 && at < text.size() && text[at] == quote; ++more) ++at;
      return at;
    } else {
      ++at;
    }
  }
  return text.size();
}

// Returns the position where a key begins to have more than kMostParts parts; npos if none does. A key is taken to be
// everything between two characters of "\n=,[]{}#" outside of strings.
std::size_t endless_key(std::string_view text) {
  int dots = 0;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"' || c == '\'') {
      at = end_of_string(text, at);
      continue;
    }
    if (c == '#') at = std::min(text.find('\n', at), text.size() - 1);
    if (std::string_view("\n=,[]{}#").find(c) != std::string_view::npos)
      dots = 0;
    else if (c == '.' && ++dots >= kMostParts)
      return at;
    ++at;
  }
  return std::string_view::npos;
}

}  // namespace

Result<toml::table> parse_toml(std::string_view text, const std::filesystem::path& file) {
  if (const std::size_t at = endless_key(text); at != std::string_view::npos) {
    const std::string_view before = text.substr(0, at);
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return fail(ErrorCode::invalid_input,
                fmt::format("a key has more than {} parts with dots between them", kMostParts),
                fmt::format("{}:{}:{}", file.string(), line, at - line_start + 1),
                "write the key in the table it belongs to: [table], and a line key = value below it");
  }
  try {
    return toml::parse(text, file.string());
  } catch (const toml::parse_error& error) {
    return fail(ErrorCode::invalid_input, fmt::format("not valid TOML: {}", error.description()),
                fmt::format("{}:{}:{}", file.string(), error.source().begin.line, error.source().begin.column));
  }
}

}  // namespace funcpipe
