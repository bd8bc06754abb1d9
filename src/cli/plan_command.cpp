#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "cli/commands.h"
#include "cli/frontier_picture.h"
#include "cli/interrupt.h"
#include "cli/number_list.h"
#include "cli/number_range.h"
#include "cli/plan_report.h"
#include "cli/progress_line.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "planner/alternatives.h"
#include "profile/derive.h"
#include "schedule/memory.h"
#include "schedule/plan_file.h"

namespace funcpipe {
namespace {

struct PlanArguments {
  std::string profile, platform;
  int batch = 0;
  std::string micro_batches, replicas, objective = "balanced", optimizer, cost_model = "bill", cache = "0";
  std::int64_t iterations = 1000;
  int connections = 4, layers = 0;
  double play = 10, time_limit = 10;
  std::string fixed, cuts, memory;
  std::string out, picture;
  bool json = false;
};

// Makes any error but a stop an invalid_input: what the user named is missing or is not what it should be.
template <class T>
Result<T> given_by_user(Result<T> result) {
  if (!result && result.error().code != ErrorCode::cancelled) result.error().code = ErrorCode::invalid_input;
  return result;
}

template <class T>
Result<T> at_flag(Result<T> result, const char* flag) {
  if (!result && result.error().place.empty()) result.error().place = flag;
  return result;
}

Result<PlanningTask> task_of(const PlanArguments& arguments, const Profile& profile, const Platform& platform) {
  PlanningTask task{profile, platform};
  task.global_batch = arguments.batch;
  task.connections = arguments.connections;
  task.most_layers = arguments.layers;
  if (arguments.time_limit > 0) task.time_limit = arguments.time_limit;
  task.accounting = {.cost_model = arguments.cost_model == "paper" ? CostModel::paper : CostModel::bill,
                     .iterations = arguments.iterations};
  task.state.optimizer_copies = optimizer_copies(arguments.optimizer.empty() ? profile.optimizer : arguments.optimizer);
  FUNCPIPE_TRY(cache, at_flag(parse_bytes(arguments.cache), "--data-cache"));
  task.state.input_cache = cache;
  if (!arguments.micro_batches.empty()) {
    FUNCPIPE_TRY(sizes, parse_number_list(arguments.micro_batches, "--micro-batch"));
    task.micro_batches = std::move(sizes);
  }
  if (!arguments.replicas.empty()) {
    FUNCPIPE_TRY(numbers, parse_number_list(arguments.replicas, "--replicas"));
    task.replicas = std::move(numbers);
  }
  FUNCPIPE_TRY(objective, at_flag(parse_objective(arguments.objective), "--objective"));
  task.objective = objective;
  return task;
}

Result<std::vector<StagePlan>> stages_of(const PlanArguments& arguments, int layers) {
  FUNCPIPE_TRY(memory, parse_size_list(arguments.memory, "--memory"));
  std::vector<int> ends;
  if (!arguments.cuts.empty()) {
    FUNCPIPE_TRY(cuts, parse_number_list(arguments.cuts, "--cuts"));
    ends = std::move(cuts);
  }
  ends.push_back(layers);
  if (memory.size() != 1 && memory.size() != ends.size())
    return fail(ErrorCode::invalid_input, fmt::format("{} sizes for {} stages", memory.size(), ends.size()), "--memory",
                "give one size for every stage, or one for each: one more than there are cuts");
  std::vector<StagePlan> stages;
  for (std::size_t k = 0; k < ends.size(); ++k) {
    const int first = k == 0 ? 0 : ends[k - 1];
    if (first >= ends[k])
      return fail(ErrorCode::invalid_input,
                  k + 1 == ends.size() ? fmt::format("there is no layer {}: the model has {}", first, layers)
                                       : fmt::format("cut {} comes after cut {}", ends[k], first),
                  "--cuts",
                  fmt::format("name the layers that begin a stage in ascending order, from 1 to {}", layers - 1));
    const SizeChoice size = memory[memory.size() == 1 ? 0 : k];
    stages.push_back({.first_layer = first, .end_layer = ends[k], .memory_mb = size.memory_mb, .vcpus = size.vcpus});
  }
  return stages;
}

Result<std::optional<Judgement>> own_plan(const PlanArguments& arguments, const PlanningTask& task) {
  if (!arguments.fixed.empty()) {
    FUNCPIPE_TRY(content, given_by_user(read_json(arguments.fixed)));
    FUNCPIPE_TRY(plan, plan_from_json(content, arguments.fixed));
    auto judged = judge(task, plan);
    if (!judged) judged.error().place = arguments.fixed;
    FUNCPIPE_TRY(judgement, std::move(judged));
    return std::optional<Judgement>(std::move(judgement));
  }
  if (arguments.cuts.empty() && arguments.memory.empty()) return std::optional<Judgement>();
  FUNCPIPE_TRY(stages, stages_of(arguments, task.profile.layer_count()));
  FUNCPIPE_TRY(judgement, at_flag(judge_cuts(task, stages), arguments.cuts.empty() ? "--memory" : "--cuts"));
  return std::optional<Judgement>(std::move(judgement));
}

Result<Planning> searched(const PlanningTask& task, std::stop_token stop) {
  constexpr Seconds kMoment = 1;  // most searches end within this time
  ProgressLine line(standard_error_screen(), kMoment);
  return plan_training(task, stop, [&](const SearchProgress& progress) {
    const double share = progress.all > 0 ? (progress.done + progress.share) / progress.all : 0;
    std::string text = fmt::format("{}/{} configurations searched", progress.done, progress.all);
    if (progress.slack > 0) text += fmt::format(", to {:g}% of the best", 100 * progress.slack);
    line.show(share, text);
  });
}

Result<> run(const PlanArguments& arguments, std::stop_token stop) {
  FUNCPIPE_TRY(profile, given_by_user(load_profile(arguments.profile)));
  FUNCPIPE_TRY(platform,
               at_flag(given_by_user(load_platform(arguments.platform.empty() ? profile.platform : arguments.platform)),
                       "--platform"));
  const Adaptation adaptation = adapt_to(profile, platform);
  FUNCPIPE_TRY(task, task_of(arguments, profile, platform));
  // The user's own plan comes first, so that a mistake in it is reported before the search.
  FUNCPIPE_TRY(own, own_plan(arguments, task));
  FUNCPIPE_TRY(planning, searched(task, stop));
  const std::size_t preferred = planning.chosen;
  std::optional<RehearsedChoice> rehearsed;
  if (arguments.play > 0) {
    FUNCPIPE_TRY(choice, choose_by_rehearsal(task, planning, arguments.play, stop));
    planning.chosen = choice.chosen;
    rehearsed = std::move(choice);
  }
  const PlannedPoint& chosen = planning.chosen_point();
  if (!arguments.out.empty()) FUNCPIPE_TRY_VOID(write_file(arguments.out, to_json(chosen.plan).dump(2) + "\n"));
  if (!arguments.picture.empty()) {
    const std::string title =
        fmt::format("{} on {}, batches of {}", profile.model.source, platform.name, arguments.batch);
    FUNCPIPE_TRY_VOID(write_file(arguments.picture, frontier_picture(planning, own, title)));
  }
  const PlanReport report{task,           planning,
                          std::move(own), alternatives(task, planning.chain_of(chosen), chosen),
                          adaptation,     std::move(rehearsed),
                          preferred};
  if (arguments.json) {
    fmt::print("{}\n", plan_report_json(report).dump(2));
    return {};
  }
  const int width = columns_of(STDOUT_FILENO);
  fmt::print("{}\n", plan_report(report, width));
  if (!arguments.picture.empty()) fmt::print("Picture: {}\n", arguments.picture);
  fmt::print("{}\n", wrapped(arguments.out.empty()
                                 ? "--out plan.json writes the chosen plan, to train with: funcpipe train JOB.toml "
                                   "--parallelism.plan plan.json"
                                 : fmt::format("Plan: {0}; to train with it: funcpipe train JOB.toml "
                                               "--parallelism.plan {0}",
                                               arguments.out),
                             width, 2));
  return {};
}

}  // namespace

Command add_plan(CLI::App& app) {
  CLI::App* command = app.add_subcommand("plan", "Choose cuts, memory, replicas and batches for a profiled model");
  const auto arguments = std::make_shared<PlanArguments>();  // shared by the parser and the command
  PlanArguments& a = *arguments;
  command->add_option("PROFILE", a.profile, "What funcpipe profile wrote")->required()->type_name("FILE");
  command->add_option("--platform", a.platform, "aws-lambda, ..., or a .toml file [the profile's]");
  command->add_option("--batch", a.batch, "Samples of an iteration, over all replicas")->required()->type_name("N");
  command->add_option("--micro-batch", a.micro_batches, "Sizes to choose from: 1,2,4 [those profiled]")
      ->type_name("LIST");
  command->add_option("--replicas", a.replicas, "Numbers to choose from: 1,2,4 or 1-32 [1-32]")->type_name("LIST");
  command
      ->add_option("--objective", a.objective,
                   "balanced, time, cost, deadline=SECONDS or budget=DOLLARS of the job, or ALPHA1,ALPHA2: least "
                   "ALPHA1 x dollars + ALPHA2 x seconds of an iteration")
      ->capture_default_str();
  command
      ->add_option("--iterations", a.iterations,
                   "Length of the job that times and dollars are for; train takes its own from the job file, steps or "
                   "epochs in [training]")
      ->capture_default_str()
      ->type_name("I");
  command->add_option("--cost-model", a.cost_model, "bill: all a cloud asks for; paper: memory x time alone")
      ->check(CLI::IsMember({"bill", "paper"}))
      ->capture_default_str();
  command
      ->add_option("--optimizer", a.optimizer,
                   "Whose state is kept: sgd, momentum (sgd with it), adam or adamw [the profile's]")
      ->check(CLI::IsMember({"sgd", "momentum", "adam", "adamw"}));
  command->add_option("--data-cache", a.cache, "Data that workers which read it keep: 256 MiB, ...")
      ->capture_default_str()
      ->type_name("SIZE");
  command
      ->add_option("--layers", a.layers,
                   "Search with a longer model's layers merged to so many, which proves nothing; 0: as they are")
      ->check(number_from(0))
      ->capture_default_str();
  command
      ->add_option("--time-limit", a.time_limit,
                   "Seconds for the search: what is found by then is shown, with how good it is proven to be; 0: until "
                   "it is exact")
      ->check(number_from(0, 1e7))
      ->capture_default_str()
      ->type_name("S");
  command
      ->add_option("--play", a.play,
                   "Seconds for playing the plan that is chosen in virtual time, before anything is promised of it; 0: "
                   "formulas alone")
      ->check(number_from(0, 1e6))
      ->capture_default_str()
      ->type_name("S");
  command->add_option("--connections", a.connections, "Requests a worker has under way in each direction")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  CLI::Option* fixed = command->add_option("--fixed", a.fixed, "A plan of yours, to be judged")->type_name("FILE");
  CLI::Option* memory =
      command->add_option("--memory", a.memory, "The sizes of your stages, or one for all: MB, or MB:vCPUs")
          ->type_name("LIST");
  command->add_option("--cuts", a.cuts, "Cuts of yours to be judged: the first layers of all stages but the first")
      ->type_name("LIST")
      ->needs(memory)
      ->excludes(fixed);
  memory->excludes(fixed);
  command->add_option("--out", a.out, "Write the chosen plan here")->type_name("FILE");
  command->add_option("--picture", a.picture, "Draw the frontier here (SVG)")->type_name("FILE");
  command->add_flag("--json", a.json, "Print everything as JSON");
  return [arguments] {
    Interrupt interrupt;
    return outcome(run(*arguments, interrupt.token()), arguments->json, "stopped");
  };
}

}  // namespace funcpipe
