#include "base/error.h"

namespace funcpipe {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "invalid input";
    case ErrorCode::not_found:
      return "not found";
    case ErrorCode::already_exists:
      return "already exists";
    case ErrorCode::permission_denied:
      return "permission denied";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::exhausted:
      return "exhausted";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::failed:
      return "failed";
  }
  return "unknown";
}

std::string describe(const Error& error) {
  std::string text = error.place.empty() ? error.message : fmt::format("{}: {}", error.place, error.message);
  if (!error.hint.empty()) text += "\n  hint: " + error.hint;
  return text;
}

int exit_code(const Error& error) {
  return error.code == ErrorCode::invalid_input ? 2 : 1;
}

}  // namespace funcpipe
