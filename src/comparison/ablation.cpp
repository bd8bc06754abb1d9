#include "comparison/ablation.h"

#include <algorithm>

namespace funcpipe {
namespace {

struct Step {
  const char* words;
  PlannerSteps steps;
};

constexpr Step kSteps[] = {
    {"as published", kPublishedSteps},
    {"one function size for all stages", {.uniform_sizes = true}},
    {"micro-batch size free", {.free_micro_batch = true}},
    {"the real bill in the objective", {.real_bill = true}},
    {"synchronisation chosen", {.free_sync = true}},
    {"1f1b order of one stage", {.accumulation = true}},
    {"cuts moved on unmerged layers", {.moved_cuts = true}},
    {"all of ours", kOurSteps},
};

}  // namespace

Result<Ablation> ablation(const Ground& ground, int batch, std::stop_token stop) {
  Ablation ablation{.model = ground.model, .platform = ground.platform.name, .batch = batch, .rows = {}};
  for (const Step& step : kSteps) {
    FUNCPIPE_TRY(frontier, planned(ground, batch, step.steps, stop));
    AblationRow& row = ablation.rows.emplace_back();
    row.step = step.words;
    if (frontier.empty()) continue;
    const auto product = [](const Proposal& one) { return one.seconds * one.dollars; };
    auto played = play(ground, batch, *std::ranges::min_element(frontier, {}, product), stop);
    if (!played && played.error().code == ErrorCode::cancelled) return tl::unexpected(std::move(played.error()));
    if (!played) continue;
    row.feasible = true;
    row.between = std::move(*played);
  }
  return ablation;
}

}  // namespace funcpipe
