#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/visible.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "config/job_file.h"
#include "job/former_runs.h"

namespace funcpipe {
namespace {

struct CleanArguments {
  std::string what = "runs";
  CleanOptions options;
};

// A job file stands for the folder its results go to.
Result<std::filesystem::path> folder_of(const std::string& what) {
  std::error_code status;
  if (!std::filesystem::is_regular_file(what, status)) return std::filesystem::path(what);
  FUNCPIPE_TRY(config, load_job_config(what));
  return std::filesystem::path(config.job.folder) / config.job.name;
}

int run(const CleanArguments& arguments, std::stop_token stop) {
  constexpr const char* kStopped = "stopped; the same command goes on from here";
  const auto folder = folder_of(arguments.what);
  if (!folder) return outcome(tl::unexpected(folder.error()), false, kStopped);
  const auto tell = [](const std::string& what) { fmt::print("{}\n", visible(what)); };
  int exit_code = 0;
  for (Error& error : clean(*folder, arguments.options, tell, std::move(stop))) {
    if (error.code == ErrorCode::not_found) error.code = ErrorCode::invalid_input;
    exit_code = std::max(exit_code, outcome(tl::unexpected(std::move(error)), false, kStopped));
  }
  return exit_code;
}

}  // namespace

Command add_clean(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("clean", "Take away what runs that were killed left: objects, functions, files");
  const auto arguments = std::make_shared<CleanArguments>();  // shared by the parser and the command
  command->add_option("WHAT", arguments->what, "A job file, a results folder, or the folder of all of them")
      ->capture_default_str()
      ->type_name("FILE|FOLDER");
  command->add_flag("--discard", arguments->options.discard_trained,
                    "Also give up finished trainings that funcpipe assemble could make results of");
  command->add_flag("--forget", arguments->options.forget_unreachable,
                    "Give up what is in a cloud that does not answer any more");
  return [arguments] {
    Interrupt interrupt("the same command goes on from here");
    return run(*arguments, interrupt.token());
  };
}

}  // namespace funcpipe
