#include <cstdio>

#include "cli/commands.h"
#include "config/options.h"

namespace funcpipe {

Command add_options(CLI::App& app) {
  CLI::App* command = app.add_subcommand("options", "Print everything a job file may say");
  const auto markdown = std::make_shared<bool>(false);  // shared by the parser and the command
  command->add_flag("--markdown", *markdown, "As the page docs/job-file.md");
  return [markdown] {
    if (*markdown) {
      fmt::print("{}", options_markdown());
      return 0;
    }
    for (const SectionRecord& section : section_table()) {
      fmt::print("[{}]  # {}\n", section.name, section.meaning);
      for (const OptionRecord& option : option_table()) {
        if (option.section != section.name) continue;
        const bool text = type_text(option) != "true or false" && type_text(option) != "a number" &&
                          type_text(option) != "a whole number";
        const std::string range = range_text(option);
        fmt::print("{} = {}  # {}{}{}\n", option.key,
                   text ? fmt::format("\"{}\"", default_text(option)) : default_text(option), option.meaning,
                   option.rules.unit.empty() ? "" : fmt::format(" In {}.", option.rules.unit),
                   range.empty() ? "" : fmt::format(" ({})", range));
      }
      fmt::print("\n");
    }
    return 0;
  };
}

}  // namespace funcpipe
