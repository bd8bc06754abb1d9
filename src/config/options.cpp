#include "config/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/nearest.h"

namespace funcpipe {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // Clang before version 17 needs this guide.

bool is_text(const OptionRecord& option) {
  JobConfig config;
  return std::holds_alternative<std::string*>(option.field(config));
}
bool is_real(const OptionRecord& option) {
  JobConfig config;
  return std::holds_alternative<double*>(option.field(config));
}

tl::unexpected<Error> wrong(const OptionRecord& option, const OptionValue& value, std::string hint = {}) {
  const std::string range = range_text(option);
  return fail(
      ErrorCode::invalid_input,
      fmt::format("must be {}{}, not {}", type_text(option), range.empty() ? "" : ", " + range, value_text(value)), {},
      std::move(hint));
}

Result<> check_range(const OptionRecord& option, const OptionValue& value, double number) {
  const bool low = option.rules.above_least ? !(number > option.rules.least) : !(number >= option.rules.least);
  const bool high = option.rules.below_most ? !(number < option.rules.most) : !(number <= option.rules.most);
  if (low || high) return wrong(option, value);
  return {};
}

std::string number_text(double number) {
  return number == std::floor(number) && std::abs(number) < 1e15 ? fmt::format("{:.0f}", number)
                                                                 : fmt::format("{}", number);
}

std::string size_text(Bytes bytes) {
  if (bytes >= kGiB && bytes % kGiB == 0) return fmt::format("{} GiB", bytes / kGiB);
  if (bytes >= kMiB && bytes % kMiB == 0) return fmt::format("{} MiB", bytes / kMiB);
  if (bytes >= kKiB && bytes % kKiB == 0) return fmt::format("{} KiB", bytes / kKiB);
  return fmt::format("{}", bytes);
}

}  // namespace

std::string value_text(const OptionValue& value) {
  return std::visit(Overloaded{[](bool b) { return std::string(b ? "true" : "false"); },
                               [](const std::string& text) { return fmt::format("'{}'", text.substr(0, 200)); },
                               [](auto number) { return fmt::format("{}", number); }},
                    value);
}

const OptionRecord* find_option(std::string_view section, std::string_view key) {
  for (const OptionRecord& option : option_table())
    if (option.section == section && option.key == key) return &option;
  return nullptr;
}

Result<> set_option(JobConfig& config, const OptionRecord& option, const OptionValue& value) {
  const auto integer = [&](auto* target) -> Result<> {
    OptionValue wanted = value;
    if (const auto* text = std::get_if<std::string>(&value); text && option.rules.kind == OptionKind::size) {
      auto bytes = parse_bytes(*text);
      if (!bytes) return wrong(option, value, bytes.error().hint);
      wanted = std::int64_t{*bytes};
    }
    const auto* number = std::get_if<std::int64_t>(&wanted);
    if (!number) return wrong(option, value);
    FUNCPIPE_TRY_VOID(check_range(option, value, static_cast<double>(*number)));
    *target = static_cast<std::remove_pointer_t<decltype(target)>>(*number);
    return {};
  };
  return std::visit(Overloaded{[&](std::string* target) -> Result<> {
                                 const auto* text = std::get_if<std::string>(&value);
                                 if (!text) return wrong(option, value);
                                 if (!option.rules.choices.empty() &&
                                     std::find(option.rules.choices.begin(), option.rules.choices.end(), *text) ==
                                         option.rules.choices.end()) {
                                   const std::string meant = nearest(*text, option.rules.choices);
                                   return wrong(option, value,
                                                meant.empty() ? "" : fmt::format("did you mean '{}'?", meant));
                                 }
                                 *target = *text;
                                 return {};
                               },
                               [&](bool* target) -> Result<> {
                                 const auto* flag = std::get_if<bool>(&value);
                                 if (!flag) return wrong(option, value);
                                 *target = *flag;
                                 return {};
                               },
                               [&](double* target) -> Result<> {
                                 double number = 0;
                                 if (const auto* real = std::get_if<double>(&value))
                                   number = *real;
                                 else if (const auto* whole = std::get_if<std::int64_t>(&value))
                                   number = static_cast<double>(*whole);
                                 else
                                   return wrong(option, value);
                                 if (!std::isfinite(number)) return wrong(option, value);
                                 FUNCPIPE_TRY_VOID(check_range(option, value, number));
                                 *target = number;
                                 return {};
                               },
                               [&](auto* target) -> Result<> { return integer(target); }},
                    option.field(config));
}

OptionValue get_option(const JobConfig& config, const OptionRecord& option) {
  JobConfig copy = config;
  return std::visit(Overloaded{[](const std::string* text) { return OptionValue(*text); },
                               [](const bool* flag) { return OptionValue(*flag); },
                               [](const double* number) { return OptionValue(*number); },
                               [](const auto* number) { return OptionValue(static_cast<std::int64_t>(*number)); }},
                    option.field(copy));
}

Result<OptionValue> parse_option_text(const OptionRecord& option, std::string_view text) {
  const char* const end = text.data() + text.size();
  const auto as_written = [&] { return OptionValue(std::string(text)); };
  if (is_text(option)) return as_written();
  if (text == "true") return OptionValue(true);
  if (text == "false") return OptionValue(false);
  std::int64_t whole = 0;
  if (const auto [rest, status] = std::from_chars(text.data(), end, whole); status == std::errc{} && rest == end)
    return OptionValue(whole);
  double real = 0;
  if (const auto [rest, status] = std::from_chars(text.data(), end, real);
      is_real(option) && status == std::errc{} && rest == end)
    return OptionValue(real);
  return as_written();  // A size with its unit. set_option() refuses anything else with a fitting message.
}

void resolve_path(JobConfig& config, const OptionRecord& option, const std::filesystem::path& folder) {
  if (option.rules.kind == OptionKind::plain || option.rules.kind == OptionKind::size) return;
  std::string& text = *std::get<std::string*>(option.field(config));
  if (text.empty()) return;
  if (option.rules.kind == OptionKind::path_or_zoo && text.starts_with("zoo:")) return;
  if (option.rules.kind == OptionKind::path_or_name && !text.ends_with(".toml") && text.find('/') == std::string::npos)
    return;
  text = (folder / text).lexically_normal().string();
}

std::string type_text(const OptionRecord& option) {
  JobConfig config;
  if (option.rules.kind == OptionKind::size) return "a size such as \"256 MiB\"";
  return std::visit(Overloaded{[&](const std::string*) {
                                 if (option.rules.kind == OptionKind::path) return "a path";
                                 return option.rules.choices.empty() ? "a text" : "a word";
                               },
                               [](const bool*) { return "true or false"; }, [](const double*) { return "a number"; },
                               [](const auto*) { return "a whole number"; }},
                    option.field(config));
}

std::string range_text(const OptionRecord& option) {
  if (!option.rules.choices.empty()) return fmt::format("one of {}", fmt::join(option.rules.choices, ", "));
  const bool bytes = option.rules.kind == OptionKind::size;
  const auto number = [&](double value) { return bytes ? size_text(static_cast<Bytes>(value)) : number_text(value); };
  std::vector<std::string> parts;
  if (std::isfinite(option.rules.least))
    parts.push_back(fmt::format("{} {}", option.rules.above_least ? "above" : "at least", number(option.rules.least)));
  if (std::isfinite(option.rules.most))
    parts.push_back(fmt::format("{} {}", option.rules.below_most ? "below" : "at most", number(option.rules.most)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string default_text(const OptionRecord& option) {
  const OptionValue value = get_option(JobConfig{}, option);
  if (option.rules.kind == OptionKind::size) return size_text(std::get<std::int64_t>(value));
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return value_text(value);
}

nlohmann::json to_json(const JobConfig& config) {
  nlohmann::json json = nlohmann::json::object();
  for (const OptionRecord& option : option_table())
    std::visit([&](const auto& value) { json[option.section][option.key] = value; }, get_option(config, option));
  return json;
}

Result<JobConfig> job_config_from_json(const nlohmann::json& json, const std::string& place) {
  JobConfig config;
  if (!json.is_object()) return fail(ErrorCode::invalid_input, "config must be an object", place);
  std::size_t known = 0, present = 0;
  for (const OptionRecord& option : option_table()) {
    const auto section = json.find(option.section);
    if (section == json.end() || !section->is_object() || !section->contains(option.key))
      return fail(ErrorCode::invalid_input, fmt::format("config lacks {}", option.name()), place);
    const nlohmann::json& value = section->at(option.key);
    OptionValue read;
    if (value.is_boolean())
      read = value.get<bool>();
    else if (value.is_number_integer())
      read = value.get<std::int64_t>();
    else if (value.is_number())
      read = value.get<double>();
    else if (value.is_string())
      read = value.get<std::string>();
    else
      return fail(ErrorCode::invalid_input, fmt::format("{} must be {}", option.name(), type_text(option)), place);
    if (auto set = set_option(config, option, read); !set) {
      set.error().place = place;
      set.error().message = option.name() + " " + set.error().message;
      return tl::unexpected(set.error());
    }
    ++known;
  }
  for (const auto& [name, section] : json.items()) present += section.is_object() ? section.size() : 1;
  if (present != known) return fail(ErrorCode::invalid_input, "config has keys this version does not know", place);
  return config;
}

}  // namespace funcpipe
