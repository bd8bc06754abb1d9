// The table of all options of a job file. The parser, the command-line flags, --help, docs/job-file.md and job.json are
// made from it and therefore agree.
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

// A pointer to an option's value in a JobConfig. Its C++ type is the option's type.
using OptionField = std::variant<std::string*, bool*, int*, std::int64_t*, std::uint64_t*, double*>;

enum class OptionKind {
  plain,
  size,          // Bytes: a number or "256 MiB".
  path,          // A file or folder.
  path_or_zoo,   // A file, unless it starts with "zoo:".
  path_or_name,  // A file if it ends in ".toml" or contains a slash, else a name.
};

// The values that an option allows.
struct OptionRules {
  std::string unit;  // Empty if it has none.
  double least = -std::numeric_limits<double>::infinity();
  double most = std::numeric_limits<double>::infinity();
  bool above_least = false;          // `least` itself is not allowed.
  bool below_most = false;           // `most` itself is not allowed.
  std::vector<std::string> choices;  // Allowed texts; empty allows any.
  OptionKind kind = OptionKind::plain;
};

// A value as it was read from TOML, JSON or the command line.
using OptionValue = std::variant<bool, std::int64_t, double, std::string>;

struct OptionRecord {
  std::string section;
  std::string key;
  OptionField (*field)(JobConfig&);
  std::string meaning;
  OptionRules rules;
  // Returns the values that a plan has for this option, one or one for each stage. Null if plans do not have it.
  std::vector<OptionValue> (*in_plan)(const Plan&) = nullptr;

  std::string name() const { return section + "." + key; }
};

// Returns all options, in the order of the documentation.
const std::vector<OptionRecord>& option_table();
struct SectionRecord {
  std::string name;
  std::string meaning;
};
const std::vector<SectionRecord>& section_table();

// Returns nullptr if there is no such option.
const OptionRecord* find_option(std::string_view section, std::string_view key);

// Sets the option after checking type, range and choices. Error: invalid_input, "must be ..., not ..."; the caller sets
// its place, which names the option.
Result<> set_option(JobConfig& config, const OptionRecord& option, const OptionValue& value);
OptionValue get_option(const JobConfig& config, const OptionRecord& option);
std::string value_text(const OptionValue& value);  // For messages; texts are put in quotes.

// Converts a text from the command line to the option's type. Error: invalid_input.
Result<OptionValue> parse_option_text(const OptionRecord& option, std::string_view text);

// Makes the value of a path option, which is relative to `folder`, relative to the current folder (or absolute). Other
// options are left unchanged.
void resolve_path(JobConfig& config, const OptionRecord& option, const std::filesystem::path& folder);

// Describe an option for the user: its type ("integer", "text", "true or false", ...), its range ("at least 1",
// "one of sgd, adam") and its default ("256 MiB").
std::string type_text(const OptionRecord& option);
std::string range_text(const OptionRecord& option);
std::string default_text(const OptionRecord& option);

// Returns the text of docs/job-file.md.
std::string options_markdown();

// Writes and reads every option as {"job": {"name": ...}, ...}. Reading is strict; error: invalid_input for a missing
// or unknown key or a value of the wrong type.
nlohmann::json to_json(const JobConfig& config);
Result<JobConfig> job_config_from_json(const nlohmann::json& json, const std::string& place);

}  // namespace funcpipe
