#include "cli/number_list.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace funcpipe {
namespace {

constexpr int kMost = 1 << 24;
constexpr std::size_t kMostNumbers = 10'000;

std::optional<int> parse_whole(std::string_view text) {
  int number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || rest != text.data() + text.size() || number < 1 || number > kMost) return std::nullopt;
  return number;
}

std::optional<double> parse_positive(std::string_view text) {
  double number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || rest != text.data() + text.size() || !(number > 0) || number > kMost)
    return std::nullopt;
  return number;
}

}  // namespace

Result<std::vector<int>> parse_number_list(const std::string& text, const std::string& flag) {
  std::vector<int> numbers;
  const auto wrong = [&] {
    return fail(ErrorCode::invalid_input,
                fmt::format("not a list of whole numbers from 1 on: '{}'", text.substr(0, 80)), flag,
                "write for example 1,2,4 or 1-8");
  };
  std::string_view left = text;
  while (true) {
    const std::string_view item = left.substr(0, left.find(','));
    const std::size_t dash = item.find('-');
    const auto first = parse_whole(item.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_whole(item.substr(dash + 1));
    if (!first || !last || *last < *first || static_cast<std::size_t>(*last - *first) + numbers.size() >= kMostNumbers)
      return wrong();
    for (int number = *first; number <= *last; ++number) numbers.push_back(number);
    if (item.size() == left.size()) return numbers;
    left.remove_prefix(item.size() + 1);
  }
}

Result<std::vector<SizeChoice>> parse_size_list(const std::string& text, const std::string& flag) {
  std::vector<SizeChoice> sizes;
  std::string_view left = text;
  while (true) {
    const std::string_view item = left.substr(0, left.find(','));
    const std::size_t colon = item.find(':');
    const auto memory_mb = parse_whole(item.substr(0, colon));
    const auto vcpus = colon == std::string_view::npos ? 0.0 : parse_positive(item.substr(colon + 1));
    if (!memory_mb || !vcpus || sizes.size() >= kMostNumbers)
      return fail(ErrorCode::invalid_input, fmt::format("not a list of function sizes: '{}'", text.substr(0, 80)), flag,
                  "write MB, for example 2048,4096, or MB:vCPUs where both are chosen, as on alibaba-fc: 2048:0.5");
    sizes.push_back({*memory_mb, *vcpus});
    if (item.size() == left.size()) return sizes;
    left.remove_prefix(item.size() + 1);
  }
}

}  // namespace funcpipe
