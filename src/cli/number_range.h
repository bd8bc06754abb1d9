// Checks of a flag's number. CLI11's own ranges accept NaN and infinity.
#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <limits>
#include <string>

namespace funcpipe {

// Accepts numbers from `least` to `most`, both included.
inline CLI::Validator number_from(double least, double most = std::numeric_limits<double>::max()) {
  CLI::Validator validator;
  validator.operation([least, most](std::string& text) -> std::string {
    double value = 0;
    if (!CLI::detail::lexical_cast(text, value) || !std::isfinite(value) || value < least || value > most)
      return most == std::numeric_limits<double>::max()
                 ? fmt::format("'{}' is not a number of at least {}", text, least)
                 : fmt::format("'{}' is not a number from {} to {}", text, least, most);
    return {};
  });
  return validator;
}

inline CLI::Validator number_above_zero() {
  CLI::Validator validator;
  validator.operation([](std::string& text) -> std::string {
    double value = 0;
    if (!CLI::detail::lexical_cast(text, value) || !std::isfinite(value) || value <= 0)
      return fmt::format("'{}' is not a number above 0", text);
    return {};
  });
  return validator;
}

}  // namespace funcpipe
