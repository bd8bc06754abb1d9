#include "job/recovery_policy.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>

#include "job/lifetimes.h"
#include "schedule/sync/sync_algorithm.h"

namespace funcpipe {
namespace {

constexpr Seconds kBetweenLosses = 100 * 3600;  // of one function
constexpr double kLeastShare = 20;              // of training to snapshots, in seconds
constexpr Seconds kOverhead = 0.1;              // of a snapshot, however small: its lanes drain, requests and ledgers
constexpr double kIntervals = 3;                // that objects are kept for: two, and the one under way
constexpr double kBlock = 4096;                 // of the disk, which an object fills at least
constexpr Bytes kMostRoom = Bytes{16} * 1024 * kMiB;

}  // namespace

Published published_in_an_iteration(const JobSpec& spec) {
  Published published;
  const double samples = static_cast<double>(spec.plan.global_batch) / std::max(spec.model.micro_batch, 1);
  for (const StagePlan& stage : spec.plan.stages) {
    double trainable = 0;
    for (const int index : spec.model.parameters_of(stage.first_layer, stage.end_layer)) {
      const ParameterDescription& parameter = spec.model.parameters[static_cast<std::size_t>(index)];
      if (parameter.trainable) trainable += static_cast<double>(parameter.bytes());
    }
    if (spec.plan.replicas > 1 && trainable > 0) {
      const SyncTraffic traffic = traits(spec.plan.sync).traffic(trainable, spec.plan.replicas);
      published.bytes += spec.plan.replicas * traffic.up_bytes;
      published.objects += spec.plan.replicas * traffic.puts;
    }
    if (stage.end_layer >= static_cast<int>(spec.model.layers.size())) continue;
    for (const TensorSpec& tensor : spec.model.layers[static_cast<std::size_t>(stage.end_layer - 1)].border)
      published.bytes += samples * static_cast<double>(tensor.bytes()) * (tensor.requires_grad ? 2 : 1);
    published.objects += 2.0 * spec.plan.micro_batch_count();
  }
  return published;
}

JobSpec::Recovery recovery_policy(const JobSpec& spec, const Platform& platform, std::optional<Bytes> room) {
  const JobConfig::Checkpoint& wanted = spec.config.checkpoint;
  if (spec.plan.has_server()) return {};
  if (wanted.interval > 0) return {.iterations = wanted.interval};
  if (wanted.period <= 0) return {};
  const double workers = std::max(1, spec.plan.worker_count());
  const HandOver hand_over = foretold_hand_over(spec, platform);
  // Ledgers are read one after the other: those of a stage's replicas, and of its neighbours.
  const Seconds cost = kOverhead + hand_over.save + (spec.plan.replicas + 2) * platform.latency.get;
  const Seconds paying = std::sqrt(2 * cost * kBetweenLosses / workers);
  const bool asked = spec.config.given.contains("checkpoint.period");
  // While a worker is replayed the others wait for it: half their patience is for that.
  const Seconds patience = spec.config.training.wait_limit / 2 - kAssumedColdStart - hand_over.load;
  JobSpec::Recovery policy{.period = asked ? wanted.period
                                           : std::max(std::min({wanted.period, paying, patience}), kLeastShare * cost)};
  if (room) {
    const Published published = published_in_an_iteration(spec);
    const double snapshots = 3 * spec.plan.replicas * all_snapshot_bytes(spec);
    const double iterations = std::max(0.0, static_cast<double>(*room) - snapshots) / kIntervals /
                              (published.bytes + kBlock * published.objects + 1);
    policy.iterations = static_cast<std::int64_t>(std::clamp(iterations, 1.0, 1e12));
  }
  return policy;
}

Seconds patience_with(const JobSpec::Recovery& recovery, const JobSpec& spec, const Platform& platform) {
  const Seconds given = spec.config.training.wait_limit;
  if (recovery.period <= 0 || spec.config.given.contains("training.wait_limit")) return given;
  return std::max(given, 2 * (recovery.period + kAssumedColdStart + foretold_hand_over(spec, platform).load));
}

Bytes room_on_disk(const std::string& folder) {
  std::error_code error;
  std::filesystem::path there = std::filesystem::absolute(folder, error);
  while (!there.empty() && there != there.root_path() && !std::filesystem::exists(there, error))
    there = there.parent_path();
  const auto space = std::filesystem::space(there, error);
  if (error) return kMostRoom;
  return std::min(kMostRoom, static_cast<Bytes>(space.available / 4));
}

}  // namespace funcpipe
