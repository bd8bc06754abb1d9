#include "model/place_names.h"

#include <fmt/format.h>

#include <filesystem>

namespace funcpipe {

using namespace torch::jit;  // NOLINT: this file is about its types

std::string module_path(Node* node) {
  const auto scope = node->scope();
  if (!scope || scope->isBlank()) return {};
  const std::string path = scope->name().toUnqualString();
  return path == "." ? std::string() : path;
}

std::string source_line(const Node* node, const std::string& before) {
  const SourceRange range = node->sourceRange();
  // The range of a loaded module is in the archive's code, which remembers the Python line it came from.
  const auto original = range.findSourceRangeThatGenerated();
  const auto place = (original ? *original : range).file_line_col();
  if (!place || std::get<0>(*place).empty()) return {};
  return fmt::format("{}{} line {}", before, std::filesystem::path(std::get<0>(*place)).filename().string(),
                     std::get<1>(*place));
}

std::string named(const Value* value) {
  std::string name = value->debugName();
  name = name.substr(0, name.find('.'));
  const bool numbered = name.find_first_not_of("0123456789") == std::string::npos;
  std::string text = numbered ? std::string("a value") : fmt::format("`{}`", name);
  std::string line = source_line(value->node());
  for (const Use& use : value->uses())
    if (line.empty()) line = source_line(use.user, ", used in ");
  return fmt::format("{} ({}{})", text, value->type()->repr_str(), line);
}

}  // namespace funcpipe
