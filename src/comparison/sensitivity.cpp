#include "comparison/sensitivity.h"

namespace funcpipe {
namespace {

constexpr int kLayers = 15;  // Fewer merged layers than elsewhere, because the search takes long on slow networks.

}  // namespace

Result<SensitivityRow> with_network(const Ground& ground, int batch, const Network& network, std::stop_token stop) {
  Ground changed = ground;
  for (FunctionSize& size : changed.platform.sizes) {
    size.uplink *= network.bandwidth;
    size.downlink *= network.bandwidth;
  }
  // Scales rate and size of the bucket, so that it lasts as long as before.
  changed.platform.burst.rate *= network.bandwidth;
  changed.platform.burst.bytes =
      static_cast<Bytes>(static_cast<double>(changed.platform.burst.bytes) * network.bandwidth);
  for (Seconds* latency : {&changed.platform.latency.put, &changed.platform.latency.get}) *latency *= network.latency;
  SensitivityRow row{.network = network, .framework = {}, .published = {}, .ours = {}};
  const auto best = [&](System system) -> Result<std::optional<PlayedPlan>> {
    PlannerSteps steps = system == System::ours ? kOurSteps : kPublishedSteps;
    steps.layers = kLayers;
    FUNCPIPE_TRY(frontier,
                 is_framework(system) ? proposals(system, changed, batch, stop) : planned(changed, batch, steps, stop));
    const bool by_prediction = system == System::published;
    FUNCPIPE_TRY(result, played_system(system, changed, batch, std::move(frontier), by_prediction, stop));
    return result.feasible() ? std::optional(result.at(Aim::between)) : std::nullopt;
  };
  for (const System system : kSystems) {
    if (!is_framework(system)) continue;
    FUNCPIPE_TRY(plan, best(system));
    if (plan && (!row.framework || plan->product() < row.framework->product())) row.framework = std::move(plan);
  }
  FUNCPIPE_TRY(published, best(System::published));
  row.published = std::move(published);
  FUNCPIPE_TRY(ours, best(System::ours));
  row.ours = std::move(ours);
  return row;
}

}  // namespace funcpipe
