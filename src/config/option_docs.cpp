#include "config/options.h"

namespace funcpipe {
namespace {

// Escapes text for a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string options_markdown() {
  std::string page =
      "# The job file\n\n"
      "<!-- Written by `funcpipe options --markdown`; change src/config/option_table.cpp instead. -->\n\n"
      "A job is described by a TOML file and trained by `funcpipe train JOB.toml`. Every field can be overridden on "
      "the\n"
      "command line by its section and key, for example `--training.steps 100`: command line over file over default.\n"
      "Relative paths in the file are relative to the file's folder, those on the command line and the defaults to "
      "the\n"
      "current folder. An unknown section or key is an error.\n";
  for (const SectionRecord& section : section_table()) {
    page += fmt::format("\n## [{}]\n\n{}\n\n", section.name, section.meaning);
    page += "| key | default | type and range | unit | meaning |\n|---|---|---|---|---|\n";
    for (const OptionRecord& option : option_table()) {
      if (option.section != section.name) continue;
      const std::string range = range_text(option);
      const std::string initial = default_text(option);
      page += fmt::format(
          "| `{}` | {} | {} | {} | {} |\n", option.key, initial.empty() ? "empty" : fmt::format("`{}`", initial),
          cell(type_text(option) + (range.empty() ? "" : ", " + range)), cell(option.rules.unit), cell(option.meaning));
    }
  }
  return page;
}

}  // namespace funcpipe
