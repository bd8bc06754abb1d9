// What of the store an account may touch: everything, or the keys of one job.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

// The environment variable of a function that says which keys its instances may touch: "BUCKET/PREFIX/".
inline constexpr const char* kStoreScopeVariable = "FUNCPIPE_STORE_SCOPE";

struct StoreScope {
  std::string bucket;
  std::string prefix;  // of keys; ends in '/'

  bool holds(std::string_view in_bucket, std::string_view key) const {
    return in_bucket == bucket && key.starts_with(prefix);
  }
};

// Errors: invalid_input unless the text is BUCKET/PREFIX/.
Result<StoreScope> parse_store_scope(std::string_view text);

}  // namespace funcpipe
