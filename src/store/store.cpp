#include "store/store.h"

namespace funcpipe {

Result<PutOutcome> Store::put(const std::string& key, std::string_view text, PutMode mode) {
  const ConstBytes piece = as_bytes(text);
  return put(key, std::span(&piece, 1), mode);
}

Result<std::optional<std::string>> Store::get_text(const std::string& key) {
  std::string text;
  const auto destination = [&text](Bytes size) -> Result<MutableBytes> {
    text.resize(static_cast<std::size_t>(size));
    return std::as_writable_bytes(std::span(text));
  };
  FUNCPIPE_TRY(bytes, get(key, destination));
  if (!bytes) return std::nullopt;
  text.resize(static_cast<std::size_t>(*bytes));
  return text;
}

Result<> check_key(const std::string& key) {
  if (key.empty() || key.size() > 1024) {
    return fail(ErrorCode::invalid_input, fmt::format("a key has 1 to 1024 bytes, this one {}", key.size()), key);
  }
  return {};
}

}  // namespace funcpipe
