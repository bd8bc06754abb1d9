#include "emulator/store_scope.h"

#include "emulator/bucket_name.h"

namespace funcpipe {

Result<StoreScope> parse_store_scope(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || !text.ends_with('/') || slash + 1 == text.size() ||
      !valid_bucket_name(text.substr(0, slash)))
    return fail(ErrorCode::invalid_input,
                fmt::format("{} must be BUCKET/PREFIX/ and is '{}'", kStoreScopeVariable, text));
  return StoreScope{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

}  // namespace funcpipe
