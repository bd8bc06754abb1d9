// Says which part of the store an account may use: everything, or the keys of one job.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// A function's environment variable that says which keys its instances may use: "BUCKET/PREFIX/".
inline constexpr const char* kStoreScopeVariable = "FUNCPIPE_STORE_SCOPE";

struct StoreScope {
  std::string bucket;
  std::string prefix;  // of keys; ends in '/'

  bool holds(std::string_view in_bucket, std::string_view key) const {
    return in_bucket == bucket && key.starts_with(prefix);
  }
};

// Errors: invalid_input unless the text has the form BUCKET/PREFIX/.
Result<StoreScope> parse_store_scope(std::string_view text);

}  // namespace funcpipe
