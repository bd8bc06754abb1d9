#include "base/counted.h"

#include <fmt/format.h>

namespace funcpipe {

std::string counted(std::int64_t number, std::string_view noun) {
  if (number == 1) return fmt::format("1 {}", noun);
  const bool hisses = noun.ends_with('s') || noun.ends_with('x') || noun.ends_with("ch") || noun.ends_with("sh");
  return fmt::format("{} {}{}", number, noun, hisses ? "es" : "s");
}

}  // namespace funcpipe
