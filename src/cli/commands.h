// One function for each command. It adds the command to the parser and returns what `main` runs if the user typed that
// command, which in turn returns the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

using Command = std::function<int()>;

Command add_train(CLI::App& app, const std::string& program);  // `program`: the name it was called by, for hints
Command add_validate(CLI::App& app);
Command add_profile(CLI::App& app);
Command add_plan(CLI::App& app);
Command add_simulate(CLI::App& app);
Command add_timeline(CLI::App& app);
Command add_bench(CLI::App& app);
Command add_emulate(CLI::App& app);
Command add_assemble(CLI::App& app);
Command add_resume(CLI::App& app);
Command add_clean(CLI::App& app);
Command add_options(CLI::App& app);

// Prints the error for people or, with `json`, for programs. Returns its exit code.
int report(const Error& error, bool json = false);
// Prints a sentence the user should know to standard error, as a line of its own. As in report(), text from files
// cannot control the terminal.
void remark(std::string_view text);
// Returns the exit code of a finished command. Reports an error, and after a stop the sentence `stopped`.
int outcome(const Result<>& done, bool json, std::string_view stopped);

}  // namespace funcpipe
