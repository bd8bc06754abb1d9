#include "comparison/sensitivity.h"

namespace funcpipe {

Result<SensitivityRow> with_network(const Ground& ground, int batch, const Network& network, std::stop_token stop) {
  Ground changed = ground;
  for (FunctionSize& size : changed.platform.sizes) {
    size.uplink *= network.bandwidth;
    size.downlink *= network.bandwidth;
  }
  for (Seconds* latency : {&changed.platform.latency.put, &changed.platform.latency.get}) *latency *= network.latency;
  FUNCPIPE_TRY(cell, compare(changed, batch, std::move(stop)));
  SensitivityRow row{.network = network, .framework = {}, .published = {}, .ours = {}};
  if (const SystemResult* best = cell.best(Aim::between, is_framework)) row.framework = best->at(Aim::between);
  const auto between = [&](System system) {
    const SystemResult& result = cell.of(system);
    return result.feasible() ? std::optional(result.at(Aim::between)) : std::nullopt;
  };
  row.published = between(System::published);
  row.ours = between(System::ours);
  return row;
}

}  // namespace funcpipe
