#include "job/plan_by_profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "planner/planner.h"

namespace funcpipe {
namespace {

bool is_set(const JobConfig& config, const char* option) {
  return config.given.contains(option);
}

// Only the size the job asks for, if it asks for one.
Platform with_memory_of(const JobConfig& config, Platform platform) {
  if (config.platform.memory_mb != 0)
    std::erase_if(platform.memory_options,
                  [&](const MemoryOption& option) { return option.memory_mb != config.platform.memory_mb; });
  return platform;
}

std::string summary_of(const PlannedPoint& point) {
  const Plan& plan = point.plan;
  return fmt::format("{} stage{} x {} replica{}, micro-batches of {}, {} MB: {} an iteration, {} and {} in all",
                     plan.stage_count(), plan.stage_count() == 1 ? "" : "s", plan.replicas,
                     plan.replicas == 1 ? "" : "s", plan.micro_batch, memory_text(plan),
                     format_seconds(point.prediction.iteration), format_seconds(point.prediction.training),
                     format_dollars(point.prediction.dollars));
}

}  // namespace

bool is_planned_by_profile(const JobConfig& config) {
  return config.parallelism.plan.empty() && !config.parallelism.profile.empty() &&
         !is_set(config, "parallelism.stages") && !is_set(config, "parallelism.replicas");
}

Result<PlanOfJob> plan_by_profile(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                                  const TrainingState& state, std::int64_t iterations, std::stop_token stop) {
  const std::string& file = config.parallelism.profile;
  auto loaded = load_profile(file);
  if (!loaded) loaded.error().code = ErrorCode::invalid_input;
  FUNCPIPE_TRY(profile, std::move(loaded));
  if (profile.model.fingerprint != model.fingerprint)
    return fail(ErrorCode::invalid_input,
                fmt::format("the profile is of another model: {} (fingerprint {}), not {} (fingerprint {})",
                            profile.model.source, profile.model.fingerprint, model.source, model.fingerprint),
                file, "profile this model: funcpipe profile");
  const Platform allowed = with_memory_of(config, platform);
  PlanningTask task{profile, allowed};
  task.state = state;
  task.global_batch = config.training.global_batch;
  if (is_set(config, "training.micro_batch")) task.micro_batches = {config.training.micro_batch};
  if (is_set(config, "parallelism.sync")) {
    FUNCPIPE_TRY(sync, parse_sync_algorithm(config.parallelism.sync));
    task.syncs = {sync};
  }
  task.accounting.iterations = iterations;
  task.connections = std::min(config.training.download_connections, config.training.upload_connections);
  auto objective = parse_objective(config.parallelism.objective);
  if (!objective) {
    const auto place = config.given.find("parallelism.objective");
    if (place != config.given.end()) objective.error().place = place->second;
    return tl::unexpected(std::move(objective.error()));
  }
  task.objective = *objective;
  auto planned = plan_training(task, stop);
  if (!planned && planned.error().place.empty()) planned.error().place = file;
  FUNCPIPE_TRY(planning, std::move(planned));
  const PlannedPoint& chosen = planning.chosen_point();
  return PlanOfJob{chosen.plan, summary_of(chosen)};
}

}  // namespace funcpipe
