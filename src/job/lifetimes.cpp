#include "job/lifetimes.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

double snapshot_bytes(const JobSpec& spec, const StagePlan& stage) {
  double bytes = 0;
  for (const int index : spec.model.parameters_of(stage.first_layer, stage.end_layer)) {
    const ParameterDescription& parameter = spec.model.parameters[static_cast<std::size_t>(index)];
    bytes += static_cast<double>(parameter.bytes()) * (1 + (parameter.trainable ? spec.state.optimizer_copies : 0));
  }
  for (int layer = stage.first_layer; layer < stage.end_layer; ++layer)
    bytes += static_cast<double>(spec.model.layers[static_cast<std::size_t>(layer)].buffer_bytes);
  return bytes;
}

}  // namespace

double all_snapshot_bytes(const JobSpec& spec) {
  double bytes = 0;
  for (const StagePlan& stage : spec.plan.stages) bytes += snapshot_bytes(spec, stage);
  return bytes;
}

HandOver foretold_hand_over(const JobSpec& spec, const Platform& platform) {
  HandOver all;
  const double workers = std::max(1, spec.plan.worker_count());
  for (const StagePlan& stage : spec.plan.stages) {
    const FunctionSize* size = platform.size(stage.memory_mb, stage.vcpus);
    // All workers may hand over at the same time.
    all = longest(
        all, expected_hand_over({.bytes = snapshot_bytes(spec, stage),
                                 .uplink = size ? std::min(size->uplink, platform.store.upload / workers) : 0,
                                 .downlink = size ? std::min(size->downlink, platform.store.download / workers) : 0,
                                 .put = platform.latency.put,
                                 .get = platform.latency.get,
                                 .vcpus = size && platform.limit_cpu ? size->vcpus : 0}));
  }
  return all;
}

Result<> foresee_lifetimes(JobSpec& spec, const Platform& platform, Seconds iteration) {
  const auto given = spec.config.given.find("platform.lifetime");
  const std::string place = given == spec.config.given.end() ? "platform.lifetime" : given->second;
  const Seconds lifetime = platform.limits.lifetime;
  if (lifetime != std::floor(lifetime))
    return fail(ErrorCode::invalid_input,
                fmt::format("a function's lifetime is a whole number of seconds, not {}", lifetime), place,
                fmt::format("set it to {:.0f}", std::ceil(lifetime)));
  const HandOver hand_over = foretold_hand_over(spec, platform);
  spec.hand_over = {hand_over.save, hand_over.load};
  auto checked = check_lifetime(lifetime, hand_over, iteration);
  if (!checked) checked.error().place = place;
  return checked;
}

}  // namespace funcpipe
