#include "model/torch_error.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <string_view>

namespace funcpipe {
namespace {

constexpr std::size_t kMost = 1000;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \n") + 1 - first);
}

// Shortens a text. It takes care not to cut a UTF-8 character in two.
std::string shortened(std::string_view text) {
  if (text.size() <= kMost) return std::string(text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace

std::string first_lines(const std::exception& error) {
  // The model's own `raise ValueError("...")`.
  if (const auto* raised = dynamic_cast<const torch::jit::JITException*>(&error); raised && raised->getOriginalMsg()) {
    std::string kind = raised->getPythonClassName().value_or("RuntimeError");
    constexpr std::string_view kBuiltins = "builtins.";
    if (kind.starts_with(kBuiltins)) kind.erase(0, kBuiltins.size());
    const std::string text(trimmed(*raised->getOriginalMsg()));
    return shortened(text.empty() ? kind : kind + ": " + text);
  }
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string_view text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // The interpreter puts the cause last, after this mark.
  constexpr std::string_view kMark = "RuntimeError: ";
  if (const auto mark = text.rfind(kMark); mark != std::string_view::npos) text.remove_prefix(mark + kMark.size());
  text = trimmed(text);
  return shortened(text.substr(0, text.find('\n')));
}

}  // namespace funcpipe
