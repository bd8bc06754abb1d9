#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/counted.h"
#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/job_arguments.h"
#include "config/precedence.h"
#include "job/train.h"
#include "protocol/job_spec.h"
#include "schedule/memory.h"

namespace funcpipe {
namespace {

void describe_plan(const JobSpec& spec) {
  fmt::print("{}: {}, {} of parameters\n", spec.model.source, counted(std::ssize(spec.model.layers), "layer"),
             format_bytes(spec.model.parameter_bytes()));
  for (int k = 0; k < spec.plan.stage_count(); ++k) {
    const StagePlan& stage = spec.plan.stages[static_cast<std::size_t>(k)];
    fmt::print("  stage {}: layers {} to {} ({} ... {}), {}, {} of memory estimated\n", k, stage.first_layer,
               stage.end_layer - 1, spec.model.layers[static_cast<std::size_t>(stage.first_layer)].name,
               spec.model.layers[static_cast<std::size_t>(stage.end_layer - 1)].name, in_words(stage.size()),
               format_bytes(estimated_memory(spec.plan, spec.model, k, spec.state)));
  }
  fmt::print("  {} of each; {} of {} in micro-batches of {}\n", counted(spec.plan.replicas, "replica"),
             counted(spec.steps, "iteration"), counted(spec.plan.global_batch, "sample"), spec.plan.micro_batch);
}

}  // namespace

Command add_validate(CLI::App& app) {
  CLI::App* command = app.add_subcommand("validate", "Check a job file, its model, data and plan, without training");
  const auto job = JobArguments::add_to(*command);
  const auto json = std::make_shared<bool>(false);  // shared by the parser and the command
  command->add_flag("--json", *json, "Print the job as workers would get it");
  return [job, json] {
    const auto config = job->load();
    if (!config) return report(config.error(), *json);
    for (const std::string& note : config->outranked) remark("note: " + note);
    Interrupt interrupt;
    const auto checked = check_job(*config, interrupt.token());
    if (!checked) return report(checked.error(), *json);
    for (const std::string& note : checked->remarks) remark("note: " + note);
    for (const std::string& note : outranked_by_plan(*config, checked->spec.plan)) remark("note: " + note);
    if (*json)
      fmt::print("{}\n", to_json(checked->spec).dump(2));
    else
      describe_plan(checked->spec);
    return 0;
  };
}

}  // namespace funcpipe
