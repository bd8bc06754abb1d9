// One function per command: adds it to the parser; what it returns is run by `main` if it was the one typed, and
// returns the exit code.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace funcpipe {

using Command = std::function<int()>;

Command add_train(CLI::App& app, const std::string& program);  // `program`: as it was called, to suggest next commands
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

// Prints the error as people or, with `json`, programs want it; returns its exit code.
int report(const Error& error, bool json = false);
// Prints what the user should know beside, as a line on standard error; what comes from files in it cannot steer the
// terminal, as in report().
void remark(std::string_view text);
// The exit code of a command that is done; what went wrong is reported, and a stop with `stopped` as what to know of
// it.
int outcome(const Result<>& done, bool json, std::string_view stopped);

}  // namespace funcpipe
