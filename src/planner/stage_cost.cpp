#include "planner/stage_cost.h"

#include <algorithm>

#include "schedule/sync/shards.h"

namespace funcpipe {
namespace {

// GETs that find nothing yet, for each object that is waited for (worker/arrival.h). This is an assumption.
constexpr double kEarlyGets = 1.0;

// Iterations in one report of losses, the default of metrics.log_freq.
constexpr double kReported = 10;

struct Lanes {
  BytesPerSecond up, down;
  Latency latency;
  double connections;

  static Seconds pace(double bytes, BytesPerSecond rate, Seconds latency, double connections) {
    return std::max(bytes / rate, (latency + bytes / rate) / connections);
  }
  Seconds upload(double bytes) const { return latency.put + bytes / up; }
  Seconds download(double bytes) const { return latency.get + bytes / down; }
  Seconds upload_pace(double bytes) const { return pace(bytes, up, latency.put, connections); }
  Seconds download_pace(double bytes) const { return pace(bytes, down, latency.get, connections); }
};

}  // namespace

StoreUse least_of(const StoreUse& a, const StoreUse& b) {
  StoreUse least = a;
  for (std::size_t i = 0; i < a.seconds.size(); ++i) least.seconds[i] = std::min(a.seconds[i], b.seconds[i]);
  return least;
}

StoreUse most_of(const StoreUse& a, const StoreUse& b) {
  StoreUse most = a;
  for (std::size_t i = 0; i < a.seconds.size(); ++i) most.seconds[i] = std::max(a.seconds[i], b.seconds[i]);
  return most;
}

StageCosts::StageCosts(const Chain& chain, const SpanTable& spans, const Configuration& configuration,
                       const Accounting& accounting)
    : chain_(chain),
      spans_(spans),
      configuration_(configuration),
      sync_(traits(configuration.sync)),
      accounting_(accounting),
      micro_batches_(configuration.largest_share()) {}

double StageCosts::memory(int first, int end) const {
  const Span& span = spans_.at(first, end);
  const double into = first > 0 ? chain_.layers[first - 1].border : 0;
  const double back = end < chain_.layer_count() ? chain_.layers[end - 1].border_gradient : 0;
  const double in_flight = configuration_.most_in_flight();
  return peak_memory({.base = chain_.base_memory,
                      .parameters = span.parameters,
                      .trainable = span.trainable,
                      .buffers = span.buffers,
                      .optimizer_copies = chain_.state.optimizer_copies,
                      .kept = in_flight * (span.activations + into + span.shared_state),
                      .working = span.working,
                      .moving = std::min<double>(in_flight, chain_.connections) * back,
                      .tied = span.tied,
                      .cached = static_cast<double>((span.reads_input ? chain_.state.input_cache : 0) +
                                                    (span.reads_target ? chain_.state.target_cache : 0)),
                      .replicas = configuration_.replicas,
                      .sync = configuration_.sync,
                      .transfers = configuration_.replicas > 1 || first > 0 || end < chain_.layer_count()});
}

bool StageCosts::fits(int first, int end, int option) const {
  if (!spans_.measured(option, first, end)) return false;
  return !chain_.memory_limited || memory(first, end) <= static_cast<double>(chain_.options[option].memory_mb) * kMiB;
}

Seconds StageCosts::synchronisation(double bytes, BytesPerSecond uplink, BytesPerSecond downlink) const {
  if (configuration_.replicas == 1 || bytes == 0) return 0;
  return sync_.seconds(bytes, configuration_.replicas,
                       {.uplink = uplink,
                        .downlink = downlink,
                        .put = chain_.latency.put,
                        .get = chain_.latency.get,
                        .connections = static_cast<double>(chain_.connections)});
}

StageTraffic StageCosts::traffic(int first, int end, int index) const {
  const Span& span = spans_.at(first, end);
  const ChainOption& option = chain_.options[index];
  const bool has_before = first > 0, has_after = end < chain_.layer_count();
  const double replicas = configuration_.replicas, all = configuration_.micro_batches;
  const double in = has_before ? chain_.layers[first - 1].border : 0;
  const double in_gradient = has_before ? chain_.layers[first - 1].border_gradient : 0;
  const double out = has_after ? chain_.layers[end - 1].border : 0;
  const double out_gradient = has_after ? chain_.layers[end - 1].border_gradient : 0;
  const bool synchronises = replicas > 1 && span.trainable > 0;
  const SyncTraffic synchronised =
      synchronises ? sync_.traffic(span.trainable, configuration_.replicas) : SyncTraffic{};
  const bool tied = span.tied > 0;
  const double shared = replicas > 1 ? span.shared_state : 0;
  const bool shares = shared > 0;
  // Objects that replica 0 publishes with the shared state (schedule/training.cpp).
  const double copies = span.trainable > 0 ? 1 : replicas - 1;

  StageTraffic traffic;
  // Replica 0 uploads the shared state and the others download it.
  traffic.state_up = copies * shared;
  traffic.state_down = shared;
  const double up_once = synchronised.up_bytes + span.tied;  // Per replica, independent of its share.
  const double down_once = synchronised.down_bytes + span.tied;
  traffic.up_bytes = micro_batches_ * (out + in_gradient) + up_once + traffic.state_up;
  traffic.down_bytes = micro_batches_ * (in + out_gradient) + down_once + traffic.state_down;
  traffic.all_up_bytes =
      configuration_.all_micro_batches() * (out + in_gradient) + replicas * up_once + traffic.state_up;
  traffic.all_down_bytes = configuration_.all_micro_batches() * (in + out_gradient) + replicas * down_once +
                           (replicas - 1) * traffic.state_down;
  // This estimate assumes that an iteration's bytes flow without a pause from a full bucket. In fact the bucket may not
  // be full when an iteration begins, and it is refilled while the lane rests.
  traffic.uplink = mean_rate(chain_.burst, option.uplink, traffic.up_bytes);
  traffic.downlink = mean_rate(chain_.burst, option.downlink, traffic.down_bytes);

  const double waited = all * (has_before + (out_gradient > 0)) + replicas * synchronised.gets + replicas * tied +
                        (replicas - 1) * shares;
  traffic.gets = waited * (1 + kEarlyGets);
  const bool reports = end == chain_.layer_count();
  traffic.reports = reports * replicas / kReported;
  traffic.puts =
      all * (has_after + (in_gradient > 0)) + replicas * synchronised.puts + replicas * tied + copies * shares;

  const double snapshot = span.parameters + span.trainable * chain_.state.optimizer_copies + span.buffers;
  // A start sends three GETs: for the job's specification, the stage and the first data.
  const Seconds warm_up = spans_.warm_up(index, first, end);
  const auto up = [&](double bytes) { return bytes / mean_rate(chain_.burst, option.uplink, bytes); };
  const auto down = [&](double bytes) { return bytes / mean_rate(chain_.burst, option.downlink, bytes); };
  const double stage = span.parameters + span.buffers;
  traffic.start = option.cold_start + 3 * chain_.latency.get + down(stage) + warm_up;
  traffic.finish = chain_.latency.put + up(stage);
  traffic.restart =
      option.cold_start + chain_.latency.put + 2 * chain_.latency.get + up(snapshot) + down(snapshot) + warm_up;
  return traffic;
}

StageCost StageCosts::of(int first, int end, int index) const {
  const Span& span = spans_.at(first, end);
  const ChainOption& option = chain_.options[index];
  const bool has_before = first > 0, has_after = end < chain_.layer_count();
  const double replicas = configuration_.replicas;
  const StageTraffic traffic = this->traffic(first, end, index);
  const double in = has_before ? chain_.layers[first - 1].border : 0;
  const double in_gradient = has_before ? chain_.layers[first - 1].border_gradient : 0;
  const double out = has_after ? chain_.layers[end - 1].border : 0;
  const double out_gradient = has_after ? chain_.layers[end - 1].border_gradient : 0;
  const bool gradients_before = in_gradient > 0, gradients_after = out_gradient > 0;
  const Lanes lanes{traffic.uplink, traffic.downlink, chain_.latency, static_cast<double>(chain_.connections)};

  const auto handling = [&](double bytes, int requests) {
    return option.transfer_per_byte * bytes + option.transfer_per_request * requests;
  };
  StageCost cost;
  cost.forward = spans_.forward(index, first, end) + handling(in + out, has_before + has_after);
  cost.backward =
      spans_.backward(index, first, end) + handling(in_gradient + out_gradient, gradients_before + gradients_after);
  if (has_before) {
    cost.before += lanes.download(in);
    cost.forward_before = lanes.download_pace(in);
    if (gradients_before) {
      cost.before += lanes.upload(in_gradient);
      cost.backward_before = lanes.upload_pace(in_gradient);
    }
  }
  if (has_after) {
    cost.after += lanes.upload(out);
    cost.forward_after = lanes.upload_pace(out);
    if (gradients_after) {
      cost.after += lanes.download(out_gradient);
      cost.backward_after = lanes.download_pace(out_gradient);
    }
  }
  cost.tail = synchronisation(span.trainable, traffic.uplink, traffic.downlink) +
              handling(replicas > 1 ? sync_.passes(configuration_.replicas) * span.trainable : 0, 0) +
              span.trainable * option.update_per_byte;
  if (replicas > 1 && span.shared_state > 0) {
    // The state is exchanged before the next iteration's first forward.
    cost.tail += lanes.upload(traffic.state_up) + lanes.download(traffic.state_down) + handling(traffic.state_up, 1);
  }
  if (span.tied > 0) cost.tail += lanes.upload(span.tied) + lanes.download(span.tied);
  cost.network = std::max(traffic.up_bytes / option.uplink, traffic.down_bytes / option.downlink);

  if (accounting_.store_limits) {
    const StoreLimits& store = chain_.store;
    const double puts = traffic.puts + traffic.reports;
    cost.store.seconds = {traffic.all_up_bytes / store.upload, traffic.all_down_bytes / store.download,
                          puts / store.puts_per_second, traffic.gets / store.gets_per_second,
                          (puts + traffic.gets) / store.requests_per_second};
  }

  cost.rate = replicas * option.per_second;
  if (accounting_.cost_model == CostModel::paper) return cost;
  const Prices& prices = chain_.prices;
  const auto iterations = static_cast<double>(std::max<std::int64_t>(1, accounting_.iterations));
  cost.fixed = (traffic.puts + traffic.reports) * prices.put + traffic.gets * prices.get;
  cost.fixed += (replicas * (traffic.start * option.per_second + prices.invocation + 3 * prices.get) +
                 traffic.finish * option.per_second + prices.put) /
                iterations;
  // The cost of a restart at the end of a lifetime is spread evenly over the lifetime.
  cost.rate *= 1 + traffic.restart / chain_.limits.lifetime;
  cost.rate += replicas * (prices.invocation + prices.put + 3 * prices.get) / chain_.limits.lifetime;
  // Objects are kept until the update of the next iteration, so those of two iterations are in the store.
  cost.rate += storage_price(prices, 2 * traffic.all_up_bytes, 1);
  return cost;
}

}  // namespace funcpipe
