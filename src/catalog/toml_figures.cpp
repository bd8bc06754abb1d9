#include "catalog/toml_figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace funcpipe {

void TomlFigures::wrong(const toml::node* node, std::string message) {
  if (error_) return;
  auto place = file_;
  if (node && node->source().begin) place += fmt::format(":{}", node->source().begin.line);
  error_ = Error{ErrorCode::invalid_input, std::move(message), std::move(place),
                 "docs/formats/platform.md lists every figure with its unit"};
}

void TomlFigures::format(const toml::table& root, int known) {
  const toml::node* node = root.get("format");
  if (!node) return wrong(&root, fmt::format("expected format = {}, the version of the file's format", known));
  const auto found = node->is_integer() ? node->value<std::int64_t>() : std::nullopt;
  if (!found) return wrong(node, fmt::format("expected format = {}, a whole number", known));
  if (*found == known || error_) return;
  wrong(node, fmt::format("format version {}, this program reads version {}", *found, known));
  error_->hint = fmt::format("write the file as docs/formats/platform.md says, with format = {} at its top", known);
}

void TomlFigures::enter(const toml::table& root, const std::string& name) {
  name_ = name;
  asked_.clear();
  table_ = root[name].as_table();
  if (!table_) {
    wrong(root.get(name) ? root.get(name) : &root, fmt::format("expected a table [{}]", name));
    return;
  }
  source_and_date();
}

void TomlFigures::source_and_date() {
  for (const std::string_view key : {"source", "date"}) {
    const auto* node = find(key, "text that says where the figures come from, and when");
    if (node && (!node->is_string() || node->as_string()->get().empty()))
      wrong(node, fmt::format("expected text for {}.{}", name_, key));
  }
}

void TomlFigures::leave() {
  if (!table_) return;
  for (const auto& [key, node] : *table_) {
    if (std::find(asked_.begin(), asked_.end(), key.str()) == asked_.end())
      wrong(&node, fmt::format("unknown key {}.{}; known are: {}", name_, key.str(), fmt::join(asked_, ", ")));
  }
  table_ = nullptr;
}

const toml::node* TomlFigures::find(std::string_view key, std::string_view expected) {
  asked_.emplace_back(key);
  if (!table_) return nullptr;
  const auto* node = table_->get(key);
  if (!node) wrong(table_, fmt::format("[{}] lacks {}: expected {}", name_, key, expected));
  return node;
}

double TomlFigures::number(std::string_view key, double least, double most) {
  const std::string expected = std::isfinite(most) ? fmt::format("a number from {} to {}", least, most)
                                                   : fmt::format("a number, at least {}", least);
  const auto* node = find(key, expected);
  if (!node) return least;
  const auto value = node->is_number() ? node->value<double>() : std::nullopt;
  if (!value || !(*value >= least && *value <= most) || !std::isfinite(*value)) {
    wrong(node, fmt::format("expected {} for {}.{}", expected, name_, key));
    return least;
  }
  return *value;
}

std::optional<double> TomlFigures::optional_number(std::string_view key, double least) {
  if (!has(key)) {
    asked_.emplace_back(key);
    return {};
  }
  return number(key, least);
}

std::vector<double> TomlFigures::numbers(std::string_view key, double least) {
  const auto expected = fmt::format("a list of ascending numbers, each at least {}", least);
  const auto* node = find(key, expected);
  std::vector<double> values;
  if (!node) return values;
  if (const auto* array = node->as_array()) {
    for (const auto& element : *array) {
      const auto value = element.is_number() ? element.value<double>() : std::nullopt;
      if (!value || !(*value >= least) || (!values.empty() && *value <= values.back())) {
        wrong(&element, fmt::format("expected {} for {}.{}", expected, name_, key));
        return values;
      }
      values.push_back(*value);
    }
  }
  if (values.empty()) wrong(node, fmt::format("expected {} for {}.{}", expected, name_, key));
  return values;
}

std::vector<std::pair<double, double>> TomlFigures::points(std::string_view key) {
  constexpr std::string_view kExpected = "a list of pairs [MB, bytes per second], MB ascending";
  const auto* node = find(key, kExpected);
  std::vector<std::pair<double, double>> points;
  if (!node) return points;
  if (const auto* array = node->as_array()) {
    for (const auto& element : *array) {
      const auto* pair = element.as_array();
      const auto x = pair && pair->size() == 2 ? (*pair)[0].value<double>() : std::nullopt;
      const auto y = pair && pair->size() == 2 ? (*pair)[1].value<double>() : std::nullopt;
      if (!x || !y || !(*x >= 0) || !(*y > 0) || (!points.empty() && *x <= points.back().first)) {
        wrong(&element, fmt::format("expected {} for {}.{}", kExpected, name_, key));
        return points;
      }
      points.emplace_back(*x, *y);
    }
  }
  if (points.empty()) wrong(node, fmt::format("expected {} for {}.{}", kExpected, name_, key));
  return points;
}

std::string TomlFigures::text(const toml::table& table, std::string_view key) {
  const auto* node = table.get(key);
  if (!node || !node->is_string()) {
    wrong(node ? node : &table, fmt::format("expected text for {}", key));
    return {};
  }
  return node->as_string()->get();
}

std::vector<std::string> TomlFigures::words(const toml::table& table, std::string_view key,
                                            const std::vector<std::string>& known) {
  std::vector<std::string> words;
  const auto expected = fmt::format("expected a list for {}, of any of: {}", key, fmt::join(known, ", "));
  const auto* node = table.get(key);
  const auto* array = node ? node->as_array() : nullptr;
  if (!array) {
    wrong(node ? node : &table, expected);
    return words;
  }
  for (const auto& element : *array) {
    const auto word = element.value<std::string>();
    if (!word || std::find(known.begin(), known.end(), *word) == known.end()) {
      wrong(&element, expected);
      return words;
    }
    words.push_back(*word);
  }
  return words;
}

}  // namespace funcpipe
