#include "planner/stage_cost.h"

#include <algorithm>
#include <cmath>

namespace funcpipe {
namespace {

constexpr double kMonth = 30 * 24 * 3600.0;  // seconds the storage price is for
constexpr double kGigabyte = 1024.0 * kMiB;

// GETs that come too early, per object waited for (worker/arrival.h), measured: docs/benchmarks.md.
constexpr double kEarlyGets = 1.0;

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

StageCosts::StageCosts(const Chain& chain, const SpanTable& spans, const Configuration& configuration,
                       const Accounting& accounting)
    : chain_(chain),
      spans_(spans),
      configuration_(configuration),
      accounting_(accounting),
      micro_batches_(configuration.most_micro_batches()) {}

double StageCosts::memory(int first, int end, int /*option*/) const {
  const Span& span = spans_.at(first, end);
  const double into = first > 0 ? chain_.layers[first - 1].border : 0;
  const double back = end < chain_.layer_count() ? chain_.layers[end - 1].border_gradient : 0;
  const double replicas = configuration_.replicas;
  const double in_flight = std::min<double>(micro_batches_, chain_.connections);
  // GPipe keeps every micro-batch's activations, and what it received for them, until its backward.
  const double kept = micro_batches_ * (span.activations + into) + span.working;
  const double moving = in_flight * back;
  const double staged = span.trainable / replicas * std::min<double>(replicas - 1, chain_.connections);
  const double cached = static_cast<double>((span.reads_input ? chain_.state.input_cache : 0) +
                                            (span.reads_target ? chain_.state.target_cache : 0));
  return chain_.base_memory + span.parameters + span.trainable * (1 + chain_.state.optimizer_copies) + span.buffers +
         kept + moving + staged + cached;
}

bool StageCosts::fits(int first, int end, int option) const {
  if (!spans_.measured(option, first, end)) return false;
  return !chain_.memory_limited ||
         memory(first, end, option) <= static_cast<double>(chain_.options[option].memory_mb) * kMiB;
}

Seconds StageCosts::synchronisation(const ChainOption& option, double bytes) const {
  const double n = configuration_.replicas;
  if (n == 1 || bytes == 0) return 0;
  const double shard = bytes / n;
  const Seconds up = shard / option.uplink, down = shard / option.downlink;
  const double waves = std::ceil((n - 1) / chain_.connections);
  const Seconds put = chain_.latency.put, get = chain_.latency.get;
  if (configuration_.sync == SyncAlgorithm::three_phase) {
    // Parts up, parts down, sum up, sums down, one after the other.
    return (n - 1) * up + (n - 1) * down + up + (n - 1) * down + (waves + 1) * put + 2 * waves * get;
  }
  // A first part up; then parts up while parts come down; the last part down; the sum up; sums down. A step shorter
  // than a request's latency waits for it, with two requests in flight.
  const Seconds step = std::max({up, down, put / 2, get / 2});
  return up + (n - 2) * step + down + up + (n - 1) * down + 2 * put + 2 * get;
}

StageCost StageCosts::of(int first, int end, int index) const {
  const Span& span = spans_.at(first, end);
  const ChainOption& option = chain_.options[index];
  const bool has_before = first > 0, has_after = end < chain_.layer_count();
  const double replicas = configuration_.replicas, all = configuration_.micro_batches;

  const double in = has_before ? chain_.layers[first - 1].border : 0;
  const double in_gradient = has_before ? chain_.layers[first - 1].border_gradient : 0;
  const double out = has_after ? chain_.layers[end - 1].border : 0;
  const double out_gradient = has_after ? chain_.layers[end - 1].border_gradient : 0;
  const bool gradients_before = in_gradient > 0, gradients_after = out_gradient > 0;
  const double synchronised = replicas > 1 ? span.trainable : 0;

  // Of an iteration, one direction each. What stays within the burst goes at its rate, and is paid back meanwhile.
  const double up_bytes = micro_batches_ * (out + in_gradient) + synchronised + span.tied;
  const double down_bytes =
      micro_batches_ * (in + out_gradient) + synchronised * 2 * (replicas - 1) / replicas + span.tied;
  const double burst = static_cast<double>(chain_.burst.bytes);
  const bool bursts = burst > 0 && up_bytes <= burst && down_bytes <= burst;
  ChainOption network = option;
  if (bursts) {
    network.uplink = std::max(option.uplink, chain_.burst.rate);
    network.downlink = std::max(option.downlink, chain_.burst.rate);
  }
  const Lanes lanes{network.uplink, network.downlink, chain_.latency, static_cast<double>(chain_.connections)};

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
  cost.tail = synchronisation(network, span.trainable) + handling(3 * synchronised, 0) +
              span.trainable * option.update_per_byte;
  if (span.tied > 0) cost.tail += lanes.upload(span.tied) + lanes.download(span.tied);
  cost.network = std::max(up_bytes / option.uplink, down_bytes / option.downlink);

  cost.rate = replicas * option.per_second;
  if (accounting_.cost_model == CostModel::paper) return cost;

  const double iterations = static_cast<double>(std::max<std::int64_t>(1, accounting_.iterations));
  const Prices& prices = chain_.prices;
  const double gets = all * (has_before + gradients_after) + replicas * 2 * (replicas - 1) * (synchronised > 0);
  const double puts =
      all * (has_after + gradients_before) + replicas * replicas * (synchronised > 0) + (span.tied > 0 ? replicas : 0);
  cost.fixed = puts * prices.put + (gets + (span.tied > 0 ? replicas : 0)) * (1 + kEarlyGets) * prices.get;

  // Start-up: the function starts and loads its stage, once, and again whenever a lifetime ends.
  const double snapshot = span.parameters + span.trainable * chain_.state.optimizer_copies + span.buffers;
  const Seconds start = option.cold_start + 2 * chain_.latency.get + span.parameters / network.downlink;
  cost.fixed += replicas * (start * option.per_second + prices.invocation + 2 * prices.get) / iterations;
  const Seconds restart = option.cold_start + chain_.latency.put + 2 * chain_.latency.get + snapshot / network.uplink +
                          snapshot / network.downlink;
  cost.rate *= 1 + restart / chain_.limits.lifetime;
  cost.rate += replicas * (prices.invocation + prices.put + 3 * prices.get) / chain_.limits.lifetime;
  // Objects live until the iteration after theirs has been updated.
  cost.rate += 2 * replicas * up_bytes / kGigabyte * prices.storage_gb_month / kMonth;
  return cost;
}

}  // namespace funcpipe
