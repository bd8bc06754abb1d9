// funcpipe: trains deep-learning models across serverless functions.
#include <signal.h>

#include <cstdio>
#include <utility>
#include <vector>

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
  const funcpipe::Command commands[] = {funcpipe::add_train(app), funcpipe::add_validate(app),
                                        funcpipe::add_emulate(app), funcpipe::add_options(app)};
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::vector<CLI::App*> verbs = app.get_subcommands([](const CLI::App*) { return true; });
  for (std::size_t i = 0; i < verbs.size(); ++i)
    if (verbs[i]->parsed()) return commands[i]();
  return 2;
}
