#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <vector>

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

// Returns the folders that a job file stands for: the one with the job's name, and NAME-2, NAME-3 and so on of later
// runs.
Result<std::vector<std::filesystem::path>> folders_of(const std::string& what) {
  namespace fs = std::filesystem;
  std::error_code status;
  if (!fs::is_regular_file(what, status)) return std::vector<fs::path>{what};
  FUNCPIPE_TRY(config, load_job_config(what));
  const fs::path parent = config.job.folder;
  std::vector<fs::path> folders{parent / config.job.name};
  for (fs::directory_iterator at(parent, status), end; !status && at != end; at.increment(status)) {
    const std::string name = at->path().filename(), start = config.job.name + "-";
    if (!name.starts_with(start) || name.size() == start.size()) continue;
    if (name.find_first_not_of("0123456789", start.size()) == std::string::npos) folders.push_back(at->path());
  }
  std::sort(folders.begin() + 1, folders.end());
  return folders;
}

int run(const CleanArguments& arguments, const std::stop_token& stop) {
  constexpr const char* kStopped = "stopped; the same command goes on from here";
  const auto folders = folders_of(arguments.what);
  if (!folders) return outcome(tl::unexpected(folders.error()), false, kStopped);
  const auto tell = [](const std::string& what) { fmt::print("{}\n", visible(what)); };
  int exit_code = 0;
  for (const std::filesystem::path& folder : *folders)
    for (Error& error : clean(folder, arguments.options, tell, stop)) {
      // If there are several folders, the first need not exist.
      if (error.code == ErrorCode::not_found && folders->size() > 1) continue;
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
  command
      ->add_option("WHAT", arguments->what,
                   "A job file (also of its later runs, NAME-2, ...), a results folder, or the folder of all of them")
      ->capture_default_str()
      ->type_name("FILE|FOLDER");
  command->add_flag(
      "--discard", arguments->options.discard_trained,
      "Also give up trainings that funcpipe assemble could make results of or funcpipe resume could go on with");
  command->add_flag("--forget", arguments->options.forget_unreachable,
                    "Give up what is in a cloud that does not answer any more");
  return [arguments] {
    Interrupt interrupt("the same command goes on from here");
    return run(*arguments, interrupt.token());
  };
}

}  // namespace funcpipe
