#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "base/error.h"

namespace funcpipe {

// Reads the members of a JSON object strictly: each must exist with the right type, and there must be no others. Keeps
// the first error (invalid_input) for done().
//   Fields fields(json, place);
//   fields.read("rows", manifest.rows).read("prefix", manifest.prefix);
//   FUNCPIPE_TRY_VOID(fields.done());
class Fields {
 public:
  Fields(const nlohmann::json& json, std::string place) : json_(json), place_(std::move(place)) {
    if (!json_.is_object()) reject("expected an object");
  }

  template <class T>
  Fields& read(const std::string& key, T& target) {
    const nlohmann::json* value = find(key);
    if (!value) return *this;
    if constexpr (std::is_same_v<T, bool>) {
      if (!value->is_boolean()) return reject(key + " must be true or false");
      target = value->get<bool>();
    } else if constexpr (std::is_integral_v<T>) {
      if (!value->is_number_integer()) return reject(key + " must be a whole number");
      const auto number = value->get<std::int64_t>();
      target = static_cast<T>(number);
      if (static_cast<std::int64_t>(target) != number) return reject(key + " is out of range");
    } else if constexpr (std::is_floating_point_v<T>) {
      if (value->is_null()) {  // JSON has no NaN or infinity; a diverged loss is written as null.
        target = std::numeric_limits<T>::quiet_NaN();
        return *this;
      }
      if (!value->is_number()) return reject(key + " must be a number");
      target = value->get<T>();
    } else {
      if (!value->is_string()) return reject(key + " must be a text");
      target = value->get<std::string>();
    }
    return *this;
  }

  // Returns a member that other code reads; an empty object after an error.
  const nlohmann::json& member(const std::string& key) {
    static const nlohmann::json nothing = nlohmann::json::object();
    const nlohmann::json* value = find(key);
    return value ? *value : nothing;
  }

  // The member "version" of a format of which this program reads one version; `way_out` is the hint for any other.
  Fields& version(int known, std::string way_out) {
    int found = 0;
    read("version", found);
    if (!error_ && found != known) {
      reject(fmt::format("format version {}, this program reads version {}", found, known));
      error_->hint = std::move(way_out);
    }
    return *this;
  }

  Result<> done() {
    if (!error_)
      for (const auto& [key, value] : json_.items())
        if (!seen_.contains(key)) {
          reject("unknown key '" + key + "'");
          break;
        }
    if (error_) return tl::unexpected(*error_);
    return {};
  }

 private:
  const nlohmann::json* find(const std::string& key) {
    seen_.insert(key);
    if (error_) return nullptr;
    const auto found = json_.find(key);
    if (found != json_.end()) return &*found;
    reject("lacks '" + key + "'");
    return nullptr;
  }

  Fields& reject(std::string message) {
    if (!error_) error_ = Error{ErrorCode::invalid_input, std::move(message), place_, {}};
    return *this;
  }

  const nlohmann::json& json_;
  std::string place_;
  std::set<std::string> seen_;
  std::optional<Error> error_;
};

}  // namespace funcpipe
