#include "config/job_file.h"

#include <toml++/toml.h>

#include <algorithm>

#include "base/files.h"
#include "base/nearest.h"
#include "catalog/toml_file.h"
#include "config/options.h"
#include "config/precedence.h"

namespace funcpipe {
namespace {

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const SectionRecord& section : section_table()) names.push_back(section.name);
  return names;
}

std::vector<std::string> keys_of(std::string_view section) {
  std::vector<std::string> keys;
  for (const OptionRecord& option : option_table())
    if (option.section == section) keys.push_back(option.key);
  return keys;
}

std::string quoted(std::string_view word) {
  return fmt::format("'{}'", word.substr(0, 80));
}

tl::unexpected<Error> unknown_section(std::string_view name, const std::string& place) {
  const std::vector<std::string> names = section_names();
  const std::string meant = nearest(name, names);
  return fail(ErrorCode::invalid_input, fmt::format("unknown section {}", quoted(name)), place,
              meant.empty() ? fmt::format("known sections: {}", fmt::join(names, ", "))
                            : fmt::format("did you mean [{}]?", meant));
}

tl::unexpected<Error> unknown_key(std::string_view section, std::string_view key, const std::string& place) {
  const std::string message = fmt::format("unknown key {} in [{}]", quoted(key), section);
  for (const OptionRecord& option : option_table())
    if (option.key == key)
      return fail(ErrorCode::invalid_input, message, place, fmt::format("it belongs in [{}]", option.section));
  const std::vector<std::string> keys = keys_of(section);
  const std::string meant = nearest(key, keys);
  return fail(
      ErrorCode::invalid_input, message, place,
      meant.empty() ? fmt::format("known keys: {}", fmt::join(keys, ", ")) : fmt::format("did you mean '{}'?", meant));
}

std::string position(const std::filesystem::path& file, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", file.string(), region.begin.line, region.begin.column);
}

Result<OptionValue> option_value(const toml::node& node, const OptionRecord& option, const std::string& place) {
  if (const auto* flag = node.as_boolean()) return OptionValue(flag->get());
  if (const auto* whole = node.as_integer()) return OptionValue(whole->get());
  if (const auto* real = node.as_floating_point()) return OptionValue(real->get());
  if (const auto* text = node.as_string()) return OptionValue(text->get());
  const char* found = node.is_table() ? "a table" : node.is_array() ? "an array" : "a date or time";
  return fail(ErrorCode::invalid_input, fmt::format("{} must be {}, not {}", option.name(), type_text(option), found),
              place);
}

Result<> read_table(JobConfig& config, const toml::table& root, const std::filesystem::path& file) {
  const std::vector<std::string> names = section_names();
  const std::filesystem::path folder = file.parent_path();
  for (const auto& [section, content] : root) {
    const std::string place = position(file, section.source());
    if (std::find(names.begin(), names.end(), section.str()) == names.end()) return unknown_section(section, place);
    const toml::table* table = content.as_table();
    if (!table)
      return fail(ErrorCode::invalid_input, fmt::format("'{}' is a section, not a value", section.str()), place,
                  fmt::format("write [{}] on a line of its own and its keys below", section.str()));
    for (const auto& [key, node] : *table) {
      const OptionRecord* option = find_option(section.str(), key.str());
      if (!option) return unknown_key(section, key, position(file, key.source()));
      const std::string value_place = position(file, node.source());
      FUNCPIPE_TRY(value, option_value(node, *option, value_place));
      if (auto set = set_option(config, *option, value); !set)
        return fail(ErrorCode::invalid_input, option->name() + " " + set.error().message, value_place,
                    set.error().hint);
      resolve_path(config, *option, folder);
      config.given[option->name()] = value_place;
    }
  }
  return {};
}

Result<> apply_override(JobConfig& config, const Override& given) {
  const std::string& place = given.flag;
  const std::size_t dot = given.name.find('.');
  if (dot == std::string::npos)
    return fail(ErrorCode::invalid_input, "unknown option", place, "options are --SECTION.KEY, see funcpipe options");
  const std::string section = given.name.substr(0, dot), key = given.name.substr(dot + 1);
  const std::vector<std::string> names = section_names();
  if (std::find(names.begin(), names.end(), section) == names.end()) return unknown_section(section, place);
  const OptionRecord* option = find_option(section, key);
  if (!option) return unknown_key(section, key, place);
  FUNCPIPE_TRY(value, parse_option_text(*option, given.value));
  if (auto set = set_option(config, *option, value); !set) {
    set.error().place = place;
    return set;
  }
  config.given[option->name()] = place;
  return {};
}

bool usable_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestJobName && name != "." && name != ".." &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
             std::string::npos;
}

// Checks rules that concern several options.
Result<> check_together(const JobConfig& config, const std::filesystem::path& file) {
  const auto wrong = [&](const char* option, std::string message, std::string hint) -> Result<> {
    const auto place = config.given.find(option);
    return fail(ErrorCode::invalid_input, std::move(message),
                place == config.given.end() ? file.string() : place->second, std::move(hint));
  };
  if (!usable_name(config.job.name))
    return wrong("job.name", fmt::format("not a usable job name: '{}'", config.job.name),
                 "use 1 to 40 letters, digits, '-', '_' and '.'");
  if (config.model.source.empty())
    return wrong("model.source", "model.source is not set",
                 "name a TorchScript file or a built-in model, for example source = \"zoo:fashion-cnn\" in [model]");
  const JobConfig::Data& data = config.data;
  if (data.train_input.empty())
    return wrong("data.train_input", "data.train_input is not set", "name the file with the training data in [data]");
  if (data.format == "tokens") {
    if (data.sequence_length < 1)
      return wrong("data.sequence_length", "data.sequence_length is not set",
                   "tokens need the length of a row, for example sequence_length = 128");
    if (!data.train_target.empty() || !data.validation_target.empty())
      return wrong(data.train_target.empty() ? "data.validation_target" : "data.train_target",
                   "tokens have no target file", "leave it out: the target is the row shifted by one");
    if (!data.validation_input.empty() && data.validation_fraction > 0)
      return wrong("data.validation_fraction", "both validation_input and validation_fraction are set",
                   "keep one of them");
  } else {
    if (data.train_target.empty())
      return wrong("data.train_target", "data.train_target is not set",
                   "name the file with the training targets in [data]");
    if (data.validation_input.empty() != data.validation_target.empty())
      return wrong(data.validation_input.empty() ? "data.validation_target" : "data.validation_input",
                   "validation needs both validation_input and validation_target", "set both or neither");
    if (data.validation_fraction > 0)
      return wrong("data.validation_fraction", "validation_fraction is for tokens only",
                   "name files in validation_input and validation_target");
  }
  if (config.training.micro_batch > config.training.global_batch)
    return wrong("training.micro_batch",
                 fmt::format("micro_batch {} is larger than global_batch {}", config.training.micro_batch,
                             config.training.global_batch),
                 "the global batch is made of micro-batches");
  if (config.platform.s3_endpoint.empty() != config.platform.lambda_endpoint.empty())
    return wrong(config.platform.s3_endpoint.empty() ? "platform.lambda_endpoint" : "platform.s3_endpoint",
                 "s3_endpoint and lambda_endpoint go together", "set both, or neither for the embedded cloud");
  return {};
}

}  // namespace

Result<JobConfig> parse_job_config(std::string_view text, const std::filesystem::path& file,
                                   const std::vector<Override>& overrides) {
  JobConfig config;
  FUNCPIPE_TRY(root, parse_toml(text, file));
  FUNCPIPE_TRY_VOID(read_table(config, root, file));
  for (const Override& given : overrides) FUNCPIPE_TRY_VOID(apply_override(config, given));
  FUNCPIPE_TRY_VOID(settle_precedence(config));
  if (config.job.name.empty()) config.job.name = file.stem().string();
  FUNCPIPE_TRY_VOID(check_together(config, file));
  return config;
}

Result<JobConfig> load_job_config(const std::filesystem::path& file, const std::vector<Override>& overrides) {
  auto text = read_file(file);
  if (!text) {
    Error error = text.error();
    error.code = ErrorCode::invalid_input;
    if (error.hint.empty()) error.hint = "give the path of a job file, for example examples/fashion/job.toml";
    return tl::unexpected(std::move(error));
  }
  return parse_job_config(*text, file, overrides);
}

}  // namespace funcpipe
