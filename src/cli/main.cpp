// funcpipe: trains deep-learning models across serverless functions.
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <system_error>
#include <vector>

#include "base/nearest.h"
#include "base/process_limits.h"
#include "cli/commands.h"

namespace {

// Flushes what was printed. A full disk shows at the latest here and makes the command fail.
int finish(int exit_code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return exit_code;
  if (errno != EPIPE)
    funcpipe::report({funcpipe::ErrorCode::exhausted, fmt::format("cannot write: {}", std::strerror(errno)),
                      "standard output", "send it elsewhere, or free some space"});
  return exit_code == 0 ? 1 : exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  funcpipe::raise_open_file_limit();
  ::signal(SIGPIPE, SIG_IGN);  // a closed connection or pipe then is an error of the write
  ::signal(SIGXFSZ, SIG_IGN);  // and so is a file that may not grow

  CLI::App app("Train deep-learning models across serverless functions.");
  app.name("funcpipe");
  app.require_subcommand(0, 1);  // no command: see below
  app.set_help_all_flag("--help-all", "Help of every command");
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  app.set_version_flag("--version", FUNCPIPE_VERSION);
  app.footer("Exit codes: 0 done, 1 the job failed, 2 the input is wrong.\nfuncpipe COMMAND --help says more.");
  const funcpipe::Command actions[] = {
      funcpipe::add_train(app, argv[0]), funcpipe::add_validate(app), funcpipe::add_profile(app),
      funcpipe::add_plan(app),           funcpipe::add_simulate(app), funcpipe::add_timeline(app),
      funcpipe::add_bench(app),          funcpipe::add_emulate(app),  funcpipe::add_assemble(app),
      funcpipe::add_resume(app),         funcpipe::add_clean(app),    funcpipe::add_options(app)};
  std::vector<std::string> names;
  const std::vector<CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (CLI::App* command : commands) {
    command->group("Commands");
    names.push_back(command->get_name());
  }
  const auto refuse = [](std::string message, std::string hint) {
    return funcpipe::report({funcpipe::ErrorCode::invalid_input, std::move(message), {}, std::move(hint)});
  };
  const std::string known = fmt::format("commands are {}; funcpipe --help says more", fmt::join(names, ", "));
  if (argc > 1 && argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    const std::string meant = funcpipe::nearest(argv[1], names);
    return refuse(fmt::format("there is no command '{}'", argv[1]),
                  meant.empty() ? known : fmt::format("did you mean '{}'?", meant));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return finish(app.exit(error) == 0 ? 0 : 2);
  }
  try {
    for (std::size_t i = 0; i < commands.size(); ++i)
      if (commands[i]->parsed()) return finish(actions[i]());
  } catch (const std::system_error& error) {  // an error of printing: `funcpipe ... | head`, or a full disk
    if (error.code() == std::errc::broken_pipe) return 1;
    return funcpipe::report({funcpipe::ErrorCode::failed, error.what(), "standard output", {}});
  }
  return refuse("no command was given", known);
}
