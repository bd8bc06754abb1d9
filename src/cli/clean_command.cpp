#include <cstdio>
#include <filesystem>

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

Result<> run(const CleanArguments& arguments, std::stop_token stop) {
  FUNCPIPE_TRY(folder, folder_of(arguments.what));
  auto cleaned = clean(
      folder, arguments.options, [](const std::string& what) { fmt::print("{}\n", what); }, std::move(stop));
  if (!cleaned && cleaned.error().code == ErrorCode::not_found) cleaned.error().code = ErrorCode::invalid_input;
  return cleaned;
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
    return outcome(run(*arguments, interrupt.token()), false, "stopped; the same command goes on from here");
  };
}

}  // namespace funcpipe
