#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/job_arguments.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "job/fresh_name.h"
#include "job/train.h"

namespace funcpipe {
namespace {

// Says what a stopped run left on this machine.
std::string left_behind(const JobConfig& config) {
  const std::filesystem::path folder = std::filesystem::path(config.job.folder) / config.job.name;
  const std::filesystem::path logs = folder / "cloud" / "logs";
  std::error_code ignored;
  return std::filesystem::exists(logs, ignored)
             ? fmt::format("no result was written; the functions' logs are in {}", logs.string())
             : fmt::format("nothing was written to {}", folder.string());
}

}  // namespace

Command add_train(CLI::App& app, const std::string& program) {
  CLI::App* command = app.add_subcommand("train", "Train the model a job file describes");
  const auto job = JobArguments::add_to(*command);
  const auto json = std::make_shared<bool>(false);  // shared by the parser and the command
  const auto overwrite = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print the result as JSON on standard output");
  command->add_flag("--overwrite", *overwrite,
                    "Replace the results of a former run of this name; without it they stay, and this run's go to a "
                    "folder with a number: NAME-2, NAME-3, ...");
  return [job, json, overwrite, program] {
    auto config = job->load();
    if (!config) return report(config.error(), *json);
    if (const std::string name = fresh_name(config->job); !*overwrite && name != config->job.name) {
      remark(
          fmt::format("  {0}/{1} holds the results of a former run: those of this one go to {0}/{2} (--overwrite "
                      "replaces the former ones)",
                      config->job.folder, config->job.name, name));
      config->job.name = name;
    }
    Interrupt interrupt("what was in the cloud may be left there");
    SystemClock clock;
    Result<TrainResult> result = fail(ErrorCode::failed, "not started");
    {
      ProgressView view(standard_error_screen(), clock);
      result = train(*config, view, interrupt.token());
    }
    if (!result) {
      if (result.error().code == ErrorCode::cancelled)
        remark("funcpipe: stopped; " + (result.error().hint.empty() ? left_behind(*config) : result.error().hint));
      else
        report(result.error(), *json);
      return exit_code(result.error());
    }
    if (*json)
      fmt::print("{}\n", summary_json(*result).dump(2));
    else
      fmt::print("{}", summary(*result, *config, program, job->file(), columns_of(STDOUT_FILENO)));
    return 0;
  };
}

}  // namespace funcpipe
