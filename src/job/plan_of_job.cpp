#include "job/plan_of_job.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "base/files.h"
#include "config/precedence.h"
#include "job/plan_by_profile.h"
#include "job/resolve.h"
#include "schedule/plan_file.h"
#include "schedule/sync/sync_algorithm.h"
#include "schedule/validate.h"

namespace funcpipe {
namespace {

// The smallest size of at least `needed` bytes, with `vcpus` or what the platform gives with that memory; the largest
// if there is none. Where the platform does not hold functions to their share of a CPU they compute as fast as the
// machine goes, so they are priced as the size that would: one vCPU a thread.
const FunctionSize* smallest_size(const Platform& platform, Bytes needed, double vcpus, int threads) {
  const FunctionSize* chosen = nullptr;
  for (const FunctionSize& size : platform.sizes) {
    const FunctionSize* candidate = platform.size(size.memory_mb, vcpus);
    if (!candidate) continue;
    chosen = candidate;
    if (chosen->memory_mb * kMiB >= needed && (platform.limit_cpu || chosen->vcpus >= threads)) break;
  }
  return chosen;
}

// Gives stages without a size the one asked for, or the smallest that holds them; and every stage its vCPUs, where the
// memory alone does not say them. What the platform does not offer is left for validate() to refuse.
void choose_sizes(Plan& plan, const JobConfig& config, const ModelDescription& model, const Platform& platform,
                  const TrainingState& state) {
  for (int k = 0; k < plan.stage_count(); ++k) {
    StagePlan& stage = plan.stages[k];
    if (stage.memory_mb == 0) stage.memory_mb = config.platform.memory_mb;
    if (stage.vcpus == 0) stage.vcpus = config.platform.vcpus;
    const bool sound = 0 <= stage.first_layer && stage.first_layer < stage.end_layer &&
                       stage.end_layer <= static_cast<int>(model.layers.size());
    const FunctionSize* size = nullptr;
    if (stage.memory_mb != 0)
      size = platform.size(stage.memory_mb, stage.vcpus);
    else if (sound)
      size = smallest_size(platform, estimated_memory(plan, model, k, state), stage.vcpus, config.training.threads);
    if (!size) continue;
    if (stage.memory_mb == 0) stage.memory_mb = size->memory_mb;
    stage.vcpus = platform.choice(*size).vcpus;
  }
}

Result<Plan> plan_of_file(const JobConfig& config) {
  const std::string& file = config.parallelism.plan;
  auto json = read_json(file);
  if (!json) json.error().code = ErrorCode::invalid_input;
  FUNCPIPE_TRY(document, std::move(json));
  FUNCPIPE_TRY(plan, plan_from_json(document, file));
  FUNCPIPE_TRY_VOID(check_against_plan(config, plan, file));
  return plan;
}

Result<Plan> plan_of_even_cut(const JobConfig& config, const ModelDescription& model) {
  const JobConfig::Parallelism& wanted = config.parallelism;
  FUNCPIPE_TRY(plan, even_plan(model, wanted.stages, wanted.replicas, config.training.global_batch,
                               config.training.micro_batch));
  FUNCPIPE_TRY(order, parse_pipeline_order(wanted.order));
  FUNCPIPE_TRY(sync, parse_sync_algorithm(wanted.sync));
  plan.order = order;
  plan.sync = sync;
  if (traits(sync).has_server) {
    plan.server = wanted.server;
  } else if (const auto given = config.given.find("parallelism.server"); given != config.given.end()) {
    return fail(ErrorCode::invalid_input, fmt::format("{} synchronisation has no server", to_string(sync)),
                given->second, "leave out parallelism.server, or choose another parallelism.sync");
  }
  return plan;
}

Result<PlanOfJob> unchecked_plan(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                                 const TrainingState& state, const Datasets& data, std::stop_token stop) {
  PlanOfJob plan;
  switch (plan_source(config)) {
    case PlanSource::file: {
      FUNCPIPE_TRY(read, plan_of_file(config));
      plan.plan = std::move(read);
      break;
    }
    case PlanSource::profile: {
      FUNCPIPE_TRY(length, length_of(config, data, config.training.global_batch));
      return plan_by_profile(config, model, platform, state, length.steps, std::move(stop));
    }
    case PlanSource::even_cut: {
      FUNCPIPE_TRY(even, plan_of_even_cut(config, model));
      plan.plan = std::move(even);
      if (!config.given.contains("parallelism.stages") && !config.given.contains("parallelism.replicas"))
        plan.summary =
            "neither a plan nor stages and replicas are set: cut evenly; with a profile of the model (funcpipe "
            "profile) in parallelism.profile it is planned";
      break;
    }
  }
  choose_sizes(plan.plan, config, model, platform, state);
  return plan;
}

}  // namespace

PlanSource plan_source(const JobConfig& config) {
  if (!config.parallelism.plan.empty()) return PlanSource::file;
  const bool is_cut_by_hand = config.given.contains("parallelism.stages");
  return config.parallelism.profile.empty() || is_cut_by_hand ? PlanSource::even_cut : PlanSource::profile;
}

Result<PlanOfJob> plan_of_job(const JobConfig& config, const ModelDescription& model, const Platform& platform,
                              const Datasets& data, std::stop_token stop) {
  const TrainingState state = training_state(config, data);
  FUNCPIPE_TRY(plan, unchecked_plan(config, model, platform, state, data, std::move(stop)));
  if (auto valid = validate(plan.plan, model, platform, state); !valid) {
    Error error = valid.error();
    if (plan_source(config) == PlanSource::file) error.place = config.parallelism.plan;
    return tl::unexpected(std::move(error));
  }
  return plan;
}

}  // namespace funcpipe
