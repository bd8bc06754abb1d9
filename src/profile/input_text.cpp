#include "profile/input_text.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace funcpipe {
namespace {

tl::unexpected<Error> bad_input(const std::string& text) {
  return fail(ErrorCode::invalid_input, fmt::format("\"{}\" is no input", text), "--inputs",
              "write the type and the shape as in float32:16x1x28x28, dimension 0 being the micro-batch");
}

Result<TensorSpec> parse_short(const std::string& text) {
  TensorSpec spec;
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos) return bad_input(text);
  spec.dtype = text.substr(0, colon);
  if (element_size(spec.dtype) == 0) return bad_input(text);
  std::string_view rest = std::string_view(text).substr(colon + 1);
  while (true) {
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
    if (error != std::errc() || extent < 1) return bad_input(text);
    spec.shape.push_back(extent);
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rest.empty()) return spec;
    if (rest.front() != 'x') return bad_input(text);
    rest.remove_prefix(1);
  }
}

Result<std::vector<TensorSpec>> parse_long(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return bad_input(text);
  std::vector<TensorSpec> specs;
  try {
    for (const auto& row : json)
      specs.push_back({row.at("dtype").get<std::string>(), row.at("shape").get<std::vector<std::int64_t>>()});
  } catch (const nlohmann::json::exception&) {
    return bad_input(text);
  }
  for (const TensorSpec& spec : specs)
    if (element_size(spec.dtype) == 0) return bad_input(text);
  return specs;
}

}  // namespace

Result<std::vector<TensorSpec>> parse_inputs(const std::vector<std::string>& texts) {
  std::vector<TensorSpec> specs;
  for (const std::string& text : texts) {
    if (text.starts_with('[')) {
      FUNCPIPE_TRY(several, parse_long(text));
      specs.insert(specs.end(), several.begin(), several.end());
    } else {
      FUNCPIPE_TRY(one, parse_short(text));
      specs.push_back(std::move(one));
    }
  }
  return specs;
}

}  // namespace funcpipe
