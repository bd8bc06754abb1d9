#include "model/torch_error.h"

#include <c10/util/Exception.h>

#include <string_view>

namespace funcpipe {

std::string first_lines(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string_view text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // The interpreter puts the cause last, behind this mark.
  constexpr std::string_view kMark = "RuntimeError: ";
  if (const auto mark = text.rfind(kMark); mark != std::string_view::npos) text.remove_prefix(mark + kMark.size());
  while (!text.empty() && std::string_view(" \n").find(text.front()) != std::string_view::npos) text.remove_prefix(1);
  text = text.substr(0, text.find('\n'));
  return std::string(text.substr(0, 300));
}

}  // namespace funcpipe
