// funcpipe: trains deep-learning models across serverless functions.
#include <fmt/ranges.h>
#include <signal.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/nearest.h"
#include "cli/commands.h"

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed connection or pipe is an error of that write
  ::signal(SIGXFSZ, SIG_IGN);  // so is a file that may not grow

  CLI::App app("Train deep-learning models across serverless functions.");
  app.name("funcpipe");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of every verb");
  app.set_version_flag("--version", FUNCPIPE_VERSION);
  app.footer("Exit codes: 0 done, 1 the job failed, 2 the input is wrong.\nfuncpipe VERB --help says more.");
  const funcpipe::Command commands[] = {funcpipe::add_train(app, argv[0]), funcpipe::add_validate(app),
                                        funcpipe::add_emulate(app), funcpipe::add_options(app)};
  const std::vector<CLI::App*> verbs = app.get_subcommands([](const CLI::App*) { return true; });
  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> names;
    names.reserve(verbs.size());
    for (const CLI::App* verb : verbs) names.push_back(verb->get_name());
    if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
      const std::string meant = funcpipe::nearest(argv[1], names);
      return funcpipe::report({funcpipe::ErrorCode::invalid_input,
                               fmt::format("there is no verb '{}'", argv[1]),
                               {},
                               meant.empty() ? fmt::format("verbs are {}", fmt::join(names, ", "))
                                             : fmt::format("did you mean '{}'?", meant)});
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  for (std::size_t i = 0; i < verbs.size(); ++i)
    if (verbs[i]->parsed()) return commands[i]();
  return 2;
}
