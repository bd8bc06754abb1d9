// Reads JSON strictly. A key that is missing or unknown, or has a value of the wrong type or out of range, is an error
// with its place: "profile.json: micro_batches[0].times[2][17].forward".
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"

namespace funcpipe {

// Reads values of one file and keeps the first error. A read that fails returns the least allowed value or an empty
// one. Not thread-safe.
class JsonReader {
 public:
  static constexpr std::int64_t kMostInt = 2147483647, kMostBytes = std::int64_t{1} << 60;

  // `remedy` is the hint of errors that have no better one.
  JsonReader(std::string file, std::string remedy) : file_(std::move(file)), remedy_(std::move(remedy)) {}

  const std::optional<Error>& error() const { return error_; }

  void wrong(const std::string& path, std::string message, std::string hint = {}) {
    if (error_) return;
    error_ = Error{ErrorCode::invalid_input, std::move(message),
                   path.empty() ? file_ : fmt::format("{}: {}", file_, path), hint.empty() ? remedy_ : std::move(hint)};
  }

  // Returns whether `object` has all `wanted` keys and no others, except that `optional` ones may be there.
  bool keys(const nlohmann::json& object, const std::vector<std::string>& wanted, const std::string& path,
            const std::vector<std::string>& optional = {}) {
    if (error_) return false;
    if (!object.is_object()) {
      wrong(path, fmt::format("expected an object, found {}", object.type_name()));
      return false;
    }
    for (const auto& item : object.items()) {
      if (std::ranges::find(wanted, item.key()) != wanted.end()) continue;
      if (std::ranges::find(optional, item.key()) != optional.end()) continue;
      const std::string word = item.key().substr(0, 64), meant = nearest(word, wanted);
      wrong(path, fmt::format("unknown key \"{}\"", word),
            meant.empty() ? fmt::format("known keys: {}", fmt::join(wanted, ", "))
                          : fmt::format("the nearest known key is \"{}\"", meant));
      return false;
    }
    for (const std::string& key : wanted) {
      if (object.contains(key)) continue;
      wrong(path, fmt::format("key \"{}\" is missing", key));
      return false;
    }
    return true;
  }

  // Reads a finite number that is not negative and, if `positive`, not zero.
  double figure(const nlohmann::json& object, const char* key, const std::string& path, bool positive = false) {
    const nlohmann::json& value = object.at(key);
    const double number = value.is_number() ? value.get<double>() : std::nan("");
    if (std::isfinite(number) && number >= 0 && !(positive && number == 0)) return number;
    wrong(below(path, key),
          fmt::format("expected a {} number, found {}", positive ? "positive" : "non-negative",
                      value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 40)));
    return 0;
  }

  std::int64_t whole(const nlohmann::json& object, const char* key, const std::string& path, std::int64_t least,
                     std::int64_t most) {
    return whole(object.at(key), below(path, key), least, most);
  }
  // Does the same for the value at `path` itself.
  std::int64_t whole(const nlohmann::json& value, const std::string& path, std::int64_t least, std::int64_t most) {
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(most);
    if (value.is_number_integer() && !huge && value.get<std::int64_t>() >= least && value.get<std::int64_t>() <= most)
      return value.get<std::int64_t>();
    wrong(path, fmt::format("expected a whole number from {} to {}, found {}", least, most,
                            value.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace).substr(0, 40)));
    return least;
  }

  bool flag(const nlohmann::json& object, const char* key, const std::string& path) {
    const nlohmann::json& value = object.at(key);
    if (value.is_boolean()) return value.get<bool>();
    wrong(below(path, key), fmt::format("expected true or false, found {}", value.type_name()));
    return false;
  }

  std::string text(const nlohmann::json& object, const char* key, const std::string& path) {
    const nlohmann::json& value = object.at(key);
    if (value.is_string()) return value.get<std::string>();
    wrong(below(path, key), fmt::format("expected a text, found {}", value.type_name()));
    return {};
  }

  // Returns `value` if it is a list of `size` elements (-1: of one or more), otherwise an empty list. `of` names the
  // elements in the plural.
  const nlohmann::json& list(const nlohmann::json& value, const std::string& path, std::ptrdiff_t size,
                             const char* of) {
    static const nlohmann::json nothing = nlohmann::json::array();
    if (!value.is_array() || value.empty()) {
      wrong(path, fmt::format("expected a list of {}, found {}", of, value.is_array() ? "none" : value.type_name()));
      return nothing;
    }
    if (size >= 0 && std::ssize(value) != size) {
      wrong(path, fmt::format("expected {} {}, found {}", size, of, value.size()));
      return nothing;
    }
    return value;
  }

  static std::string below(const std::string& path, const std::string& key) {
    return path.empty() ? key : path + "." + key;
  }

 private:
  std::string file_, remedy_;
  std::optional<Error> error_;
};

}  // namespace funcpipe
