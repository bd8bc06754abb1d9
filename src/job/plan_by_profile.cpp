#include "job/plan_by_profile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "base/counted.h"
#include "planner/planner.h"
#include "profile/derive.h"
#include "schedule/memory.h"
#include "schedule/sync/sync_algorithm.h"
#include "simulator/rehearsal.h"

namespace funcpipe {
namespace {

bool is_set(const JobConfig& config, const char* option) {
  return config.given.contains(option);
}

// Keeps the sizes with the memory and the vCPUs that the job asks for, if it asks for any.
std::vector<FunctionSize> allowed_sizes(const JobConfig& config, std::vector<FunctionSize> sizes) {
  const JobConfig::PlatformChoice& wanted = config.platform;
  std::erase_if(sizes, [&](const FunctionSize& size) {
    return (wanted.memory_mb != 0 && size.memory_mb != wanted.memory_mb) ||
           (wanted.vcpus != 0 && !same_vcpus(size.vcpus, wanted.vcpus));
  });
  return sizes;
}

// Refuses a size the job asks for but the profile lacks: what other sizes cost says little about it.
Result<> check_profiled(const Profile& profile, const Platform& allowed, const JobConfig& config) {
  std::vector<std::string> sizes;
  for (const OptionProfile& option : profile.options) {
    if (allowed.exact_size(option.memory_mb, option.vcpus)) return {};
    sizes.push_back(to_string(SizeChoice{option.memory_mb, option.vcpus}));
  }
  const bool by_memory = config.given.contains("platform.memory_mb");
  const auto place = config.given.find(by_memory ? "platform.memory_mb" : "platform.vcpus");
  return fail(ErrorCode::invalid_input,
              fmt::format("none of the function sizes profiled ({}) is one that the job asks for of {}",
                          fmt::join(sizes, ", "), allowed.name),
              place == config.given.end() ? config.parallelism.profile : place->second,
              "ask for a size that was profiled, or profile that size too");
}

// The most seconds for searching plans, and for simulating them before one is chosen; little beside the training.
constexpr Seconds kSearching = 10, kPlaying = 10;

std::string summary_of(const PlannedPoint& point, const std::optional<Rehearsal>& played) {
  const Plan& plan = point.plan;
  const Prediction& whole = played ? played->prediction : point.prediction;
  return fmt::format("{} x {}, micro-batches of {}, {} MB: {} an iteration{}, {} and {} in all",
                     counted(plan.stage_count(), "stage"), counted(plan.replicas, "replica"), plan.micro_batch,
                     memory_text(plan), format_seconds(whole.iteration),
                     played ? fmt::format(" as played ({} by its formula)", format_seconds(point.prediction.iteration))
                            : std::string(" by its formula"),
                     format_seconds(whole.training), format_dollars(whole.dollars));
}

}  // namespace

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
  const Adaptation adaptation = adapt_to(profile, platform);
  Platform allowed = platform;
  allowed.sizes = allowed_sizes(config, platform.sizes);
  FUNCPIPE_TRY_VOID(check_profiled(profile, allowed, config));
  PlanningTask task{profile, allowed};
  task.state = state;
  task.global_batch = config.training.global_batch;
  if (is_set(config, "training.micro_batch")) task.micro_batches = {config.training.micro_batch};
  if (is_set(config, "parallelism.replicas")) task.replicas = {config.parallelism.replicas};
  if (is_set(config, "parallelism.sync")) {
    FUNCPIPE_TRY(sync, parse_sync_algorithm(config.parallelism.sync));
    if (!traits(sync).seconds)
      return fail(ErrorCode::invalid_input,
                  fmt::format("plans with {} synchronisation are not searched", to_string(sync)),
                  config.given.at("parallelism.sync"),
                  "leave out parallelism.profile and set parallelism.stages and parallelism.replicas, or choose "
                  "another parallelism.sync");
    task.syncs = {sync};
  }
  task.accounting.iterations = iterations;
  task.time_limit = kSearching;
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
  auto rehearsed = choose_by_rehearsal(task, planning, kPlaying, stop);
  if (!rehearsed && rehearsed.error().place.empty()) rehearsed.error().place = file;
  FUNCPIPE_TRY(choice, std::move(rehearsed));
  PlannedPoint& chosen = planning.frontier[choice.chosen];
  // For each number of stages, plans of one order only are searched.
  if (is_set(config, "parallelism.order") && config.parallelism.order != to_string(chosen.plan.order))
    return fail(ErrorCode::invalid_input,
                fmt::format("the plan made with the profile has {} in {} order",
                            counted(chosen.plan.stage_count(), "stage"), to_string(chosen.plan.order)),
                config.given.at("parallelism.order"),
                "leave parallelism.order out, or cut by hand: set parallelism.stages");
  // A plan for the allowed sizes may leave out vCPUs that are needed to tell all of the platform's sizes apart.
  for (StagePlan& stage : chosen.plan.stages)
    if (config.platform.vcpus > 0)
      stage.vcpus = platform.choice(*platform.size(stage.memory_mb, config.platform.vcpus)).vcpus;
  PlanOfJob plan{chosen.plan,
                 fmt::format("planned with {}: {}; it will be in {}", file, summary_of(chosen, choice.rehearsal()),
                             (std::filesystem::path(config.job.folder) / config.job.name / "plan.json").string()),
                 chosen.prediction.iteration};
  if (adaptation.measured_for != platform.name)
    plan.remark = fmt::format(
        "the profile {} was measured for platform {}, and the job is for {}: its times are scaled, and one measured "
        "with funcpipe profile --platform {} plans better",
        file, adaptation.measured_for, platform.name, config.platform.name);
  return plan;
}

}  // namespace funcpipe
