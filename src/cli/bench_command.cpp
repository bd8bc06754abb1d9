#include <algorithm>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/number_list.h"
#include "cli/progress_line.h"
#include "comparison/results.h"

namespace funcpipe {
namespace {

struct PaperArguments {
  Selection selection;
  std::string batches = "16,64,256", out = "results", plans;
};

Result<Comparison> compared(const Selection& selection, std::stop_token stop) {
  ProgressLine line(standard_error_screen());
  return run_comparison(selection, std::move(stop), [&](int done, int all) {
    line.show(static_cast<double>(done) / all, fmt::format("{} of {} parts", done, all));
  });
}

Result<> run(PaperArguments arguments, std::stop_token stop) {
  FUNCPIPE_TRY(batches, parse_number_list(arguments.batches, "--batches"));
  std::ranges::sort(batches);
  batches.erase(std::unique(batches.begin(), batches.end()), batches.end());
  arguments.selection.batches = std::move(batches);
  FUNCPIPE_TRY_VOID(prepare_folder(arguments.out));
  if (!arguments.plans.empty()) FUNCPIPE_TRY_VOID(prepare_folder(arguments.plans));
  auto comparison = compared(arguments.selection, std::move(stop));
  if (!comparison && comparison.error().code == ErrorCode::not_found)
    comparison.error().code = ErrorCode::invalid_input;  // it concerns what the user named
  if (!comparison) return tl::unexpected(std::move(comparison.error()));
  FUNCPIPE_TRY_VOID(write_results(result_files(*comparison), arguments.out));
  if (!arguments.plans.empty()) FUNCPIPE_TRY_VOID(write_results(plan_files(*comparison), arguments.plans));
  fmt::print("Results: {}/README.md\n", arguments.out);
  if (!arguments.plans.empty())
    fmt::print(
        "Plans: {0}/; funcpipe simulate {0}/MODEL-PLATFORM-BATCH-SYSTEM-AIM.json --profile MODEL.json --platform "
        "PLATFORM\n",
        arguments.plans);
  return {};
}

}  // namespace

Command add_bench(CLI::App& app) {
  CLI::App* command = app.add_subcommand("bench", "Comparisons with other systems");
  command->require_subcommand(1);
  CLI::App* paper = command->add_subcommand(
      "paper", "Every system of the paper and ours, planned and simulated: tables and pictures, in some minutes");
  const auto arguments = std::make_shared<PaperArguments>();  // shared by the parser and the command
  PaperArguments& a = *arguments;
  paper->add_option("--models", a.selection.models, "Profiles to take: names of profiles/, or .json files")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  paper->add_option("--batches", a.batches, "Global batches")->capture_default_str()->type_name("LIST");
  paper->add_option("--platforms", a.selection.platforms, "Platforms: names, or .toml files")
      ->delimiter(',')
      ->capture_default_str()
      ->type_name("LIST");
  paper->add_option("--seed", a.selection.seed, "Of the Bayesian search")->capture_default_str()->type_name("N");
  paper->add_option("--threads", a.selection.threads, "At work side by side; 0: as many as there are processors")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  paper->add_option("--out", a.out, "Folder for the results")->capture_default_str()->type_name("FOLDER");
  paper->add_option("--plans", a.plans, "Folder for every system's best plans: files to train or to simulate")
      ->type_name("FOLDER");
  return [arguments] {
    Interrupt interrupt;
    return outcome(run(*arguments, interrupt.token()), false, "stopped");
  };
}

}  // namespace funcpipe
