// The one table of everything a job file may say. Parser, command-line flags, --help, docs/job-file.md and the JSON in
// job.json are all made from it, so they cannot drift apart.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

// Where a value lives in a JobConfig; its C++ type is the option's type.
using OptionField = std::variant<std::string*, bool*, int*, std::int64_t*, std::uint64_t*, double*>;

enum class OptionKind {
  plain,
  size,          // bytes: a number or "256 MiB"
  path,          // a file or folder
  path_or_zoo,   // a file, unless it starts with "zoo:"
  path_or_name,  // a file if it ends in ".toml" or has a slash, else a name
};

// What values an option allows.
struct OptionRules {
  std::string unit;  // empty: none
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;          // `least` itself is not allowed
  bool below_most = false;           // nor `most`
  std::vector<std::string> choices;  // of a text; empty: any
  OptionKind kind = OptionKind::plain;
};

// A value as TOML, JSON or the command line gave it.
using OptionValue = std::variant<bool, std::int64_t, double, std::string>;

struct OptionRecord {
  std::string section;
  std::string key;
  OptionField (*field)(JobConfig&);
  std::string meaning;
  OptionRules rules;
  // What a plan file says of the same thing, once or for each stage; null: nothing.
  std::vector<OptionValue> (*in_plan)(const Plan&) = nullptr;

  std::string name() const { return section + "." + key; }
};

// Sections in the order of the documentation, their options in order within.
const std::vector<OptionRecord>& option_table();
struct SectionRecord {
  std::string name;
  std::string meaning;
};
const std::vector<SectionRecord>& section_table();

// nullptr if there is none.
const OptionRecord* find_option(std::string_view section, std::string_view key);

// Sets the option after checking type, range and choices. Errors: invalid_input, "must be ..., not ..."; the caller
// adds the option's name, as the user wrote it, and the place.
Result<> set_option(JobConfig& config, const OptionRecord& option, const OptionValue& value);
OptionValue get_option(const JobConfig& config, const OptionRecord& option);
std::string value_text(const OptionValue& value);  // for people: texts in quotes

// Text as typed on a command line.
Result<OptionValue> parse_option_text(const OptionRecord& option, std::string_view text);

// A path option's value relative to `folder` made relative to the current folder (or absolute); others unchanged.
void resolve_path(JobConfig& config, const OptionRecord& option, const std::filesystem::path& folder);

// For people: "integer", "text", "true or false", ...; "at least 1", "one of sgd, adam"; the default, "256 MiB".
std::string type_text(const OptionRecord& option);
std::string range_text(const OptionRecord& option);
std::string default_text(const OptionRecord& option);

// docs/job-file.md.
std::string options_markdown();

// {"job": {"name": ...}, ...}: every option. Reading is strict: a missing, unknown or ill-typed key is invalid_input.
nlohmann::json to_json(const JobConfig& config);
Result<JobConfig> job_config_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
