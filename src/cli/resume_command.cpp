#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "cli/summary.h"
#include "cli/terminal.h"
#include "job/resume.h"

namespace funcpipe {

Command add_resume(CLI::App& app) {
  CLI::App* command = app.add_subcommand("resume", "Go on with a training that was broken off, from its snapshots");
  const auto folder = std::make_shared<std::string>();  // shared by the parser and the command
  const auto json = std::make_shared<bool>(false);
  command->add_option("RUN", *folder, "The job's results folder: runs/NAME")->required()->type_name("FOLDER");
  command->add_flag("--json", *json, "Print the result as JSON on standard output");
  return [folder, json] {
    Interrupt interrupt("the training is kept as far as it came, and the same command goes on");
    SystemClock clock;
    Result<TrainResult> result = fail(ErrorCode::failed, "not started");
    {
      ProgressView view(standard_error_screen(), clock);
      result = resume(*folder, view, interrupt.token());
    }
    if (!result && result.error().code == ErrorCode::not_found) result.error().code = ErrorCode::invalid_input;
    if (!result)
      return outcome(tl::unexpected(result.error()), *json,
                     "stopped; the training is kept as far as it came, and the same command goes on");
    if (*json)
      fmt::print("{}\n", summary_json(*result).dump(2));
    else
      fmt::print(
          "{}\nThe bill counts what was billed before the training was broken off, too, but not the functions that ran "
          "at that\nmoment.\n",
          results_summary(*result, columns_of(STDOUT_FILENO)));
    return 0;
  };
}

}  // namespace funcpipe
