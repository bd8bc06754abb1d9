#include "model/zoo/options.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <ranges>
#include <sstream>

#include "base/check.h"
#include "base/nearest.h"

namespace funcpipe::zoo {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

template <class Number>
bool parses(const std::string& text, double least, double most) {
  Number number{};
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  return status == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
}

std::string expectation(const Option& option) {
  switch (option.type) {
    case Option::Type::integer:
      return fmt::format("an integer from {} to {}", option.least, option.most);
    case Option::Type::real:
      return fmt::format("a number from {} to {}", option.least, option.most);
    case Option::Type::integers:
      return fmt::format("integers from {} to {} separated by commas", option.least, option.most);
    case Option::Type::text:
      return fmt::format("one of {}", fmt::join(option.choices, ", "));
  }
  return {};
}

bool fits(const Option& option, const std::string& value) {
  switch (option.type) {
    case Option::Type::integer:
      return parses<int>(value, option.least, option.most);
    case Option::Type::real:
      return parses<double>(value, option.least, option.most);
    case Option::Type::integers: {
      const auto parts = split(value, ',');
      const bool trailing = !value.empty() && value.back() == ',';
      return !parts.empty() && !trailing &&
             std::ranges::all_of(parts, [&](const auto& part) { return parses<int>(part, option.least, option.most); });
    }
    case Option::Type::text:
      return std::ranges::find(option.choices, value) != option.choices.end();
  }
  return false;
}

}  // namespace

Result<Options> Options::parse(const std::vector<Option>& table, const std::map<std::string, std::string>& preset,
                               const std::string& query, const std::string& place) {
  Options options;
  std::vector<std::string> known;
  for (const auto& option : table) {
    known.push_back(option.name);
    const auto set = preset.find(option.name);
    options.values_[option.name] = set == preset.end() ? option.fallback : set->second;
  }
  for (const auto& part : split(query, '&')) {
    const auto equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    const auto option = std::ranges::find(table, name, &Option::name);
    if (option == table.end()) {
      const auto near = nearest(name, known);
      return fail(
          ErrorCode::invalid_input,
          fmt::format("unknown option `{}`{}", name, near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
          place, fmt::format("options here: {}", fmt::join(known, ", ")));
    }
    if (!fits(*option, value)) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("option `{}` must be {}, got `{}`", name, expectation(*option), value), place);
    }
    options.values_[name] = value;
  }
  return options;
}

int Options::integer(const std::string& name) const {
  return std::stoi(values_.at(name));
}

double Options::real(const std::string& name) const {
  const auto& text = values_.at(name);
  double number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);  // does not depend on the locale
  return number;
}

std::vector<int> Options::integers(const std::string& name) const {
  std::vector<int> numbers;
  for (const auto& part : split(values_.at(name), ',')) numbers.push_back(std::stoi(part));
  return numbers;
}

}  // namespace funcpipe::zoo
