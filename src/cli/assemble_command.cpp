#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "job/assemble.h"

namespace funcpipe {

Command add_assemble(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("assemble", "Make the results of a training that finished but could not make them itself");
  const auto folder = std::make_shared<std::string>();  // shared by the parser and the command
  const auto json = std::make_shared<bool>(false);
  command->add_option("RUN", *folder, "The job's results folder: runs/NAME")->required()->type_name("FOLDER");
  command->add_flag("--json", *json, "Print the result as JSON on standard output");
  return [folder, json] {
    Interrupt interrupt("the trained weights are kept, and the same command makes the results");
    SystemClock clock;
    Result<Assembled> assembled = fail(ErrorCode::failed, "not started");
    {
      ProgressView view(standard_error_screen(), clock);
      assembled = assemble(*folder, view, interrupt.token());
    }
    if (!assembled && assembled.error().code == ErrorCode::not_found) assembled.error().code = ErrorCode::invalid_input;
    if (!assembled)
      return outcome(tl::unexpected(assembled.error()), *json,
                     "stopped; the trained weights are kept, and the same command makes the results");
    if (*json)
      fmt::print("{}\n", nlohmann::json{{"folder", assembled->folder.string()}, {"run", assembled->run}}.dump(2));
    else
      fmt::print("Results of run {0} in {1}: model.pt, state_dict.pt, history.jsonl and the records{2}\n",
                 assembled->run, assembled->folder.string(),
                 assembled->has_bill ? "" : "; its bill was lost with the program that ran it");
    return 0;
  };
}

}  // namespace funcpipe
