#include "schedule/life_span.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace funcpipe {
namespace {

constexpr std::size_t kRecent = 8;
constexpr Seconds kLeastSlack = 0.5, kMostSlack = 10;
constexpr double kSnapshotMargin = 1.25;
// kPacking is the rate at which one vCPU writes or reads a snapshot: TorchScript archive, optimiser state, checksums.
// kStart is the part of a worker's start, on one vCPU, that does not depend on the snapshot's size: TorchScript and the
// allocator take it.
constexpr BytesPerSecond kPacking = 250e6;
constexpr Seconds kStart = 0.5;

Seconds slack_of(Seconds lifetime) {
  return std::clamp(lifetime / 20, kLeastSlack, kMostSlack);
}

}  // namespace

Seconds packing_seconds(double bytes, double vcpus) {
  return bytes / kPacking / (vcpus > 0 ? std::min(vcpus, 1.0) : 1);
}

HandOver expected_hand_over(const HandOverWork& work) {
  const Seconds packing = packing_seconds(work.bytes, work.vcpus);
  const Seconds start = kStart / (work.vcpus > 0 ? std::min(work.vcpus, 1.0) : 1);
  const auto moving = [&](BytesPerSecond rate) { return rate > 0 && !std::isinf(rate) ? work.bytes / rate : 0; };
  // Three requests: the job's specification, the snapshot and the first data.
  return {.save = packing + work.put + moving(work.uplink),
          .load = start + packing + 3 * work.get + moving(work.downlink)};
}

HandOver longest(const HandOver& a, const HandOver& b) {
  return {std::max(a.save, b.save), std::max(a.load, b.load)};
}

LifeSpan::LifeSpan(Seconds now, Seconds deadline, const LifeForecast& known)
    : deadline_(deadline), lifetime_(std::max(0.0, deadline - now)), known_(known) {}

void LifeSpan::remember(Seconds iteration, Seconds validation) {
  known_.iteration = iteration;
  known_.validation = validation;
}

void LifeSpan::iteration_took(Seconds seconds) {
  recent_.push_back(seconds);
  if (recent_.size() > kRecent) recent_.pop_front();
  worked_ = true;
}

void LifeSpan::validation_took(Seconds seconds) {
  known_.validation = seconds;
  worked_ = true;
}

void LifeSpan::snapshot_took(Seconds seconds) {
  known_.hand_over.save = std::max(known_.hand_over.save, seconds);
}

Seconds LifeSpan::slowest_iteration() const {
  return recent_.empty() ? known_.iteration : *std::max_element(recent_.begin(), recent_.end());
}

bool LifeSpan::has_deadline() const {
  return !std::isinf(deadline_);
}

Seconds LifeSpan::margin() const {
  const HandOver& replacing = known_.hand_over;
  return 2 * slowest_iteration() + kSnapshotMargin * replacing.save +
         (known_.alone ? 0 : replacing.save + replacing.load) + slack_of(lifetime_);
}

bool LifeSpan::fits(Seconds now, Seconds seconds) const {
  return now + seconds + margin() < deadline_;
}

bool LifeSpan::may_validate(Seconds now, Seconds guess) const {
  return !worked_ || fits(now, known_.validation > 0 ? known_.validation : guess);
}

std::int64_t LifeSpan::chunk(Seconds now) const {
  if (!has_deadline()) return std::numeric_limits<std::int64_t>::max();
  if (!fits(now, 0)) return worked_ ? 0 : 1;
  if (slowest_iteration() <= 0) return 1;
  const Seconds half = (deadline_ - now - margin()) / 2;
  const double iterations = half / std::max(slowest_iteration(), 1e-6);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(iterations, 1e15)));
}

Result<> check_lifetime(Seconds lifetime, const HandOver& hand_over, Seconds work, std::string_view what) {
  if (std::isinf(lifetime)) return {};
  const Seconds needed = hand_over.load + work + kSnapshotMargin * hand_over.save + slack_of(lifetime);
  if (needed <= lifetime) return {};
  std::string parts;
  if (hand_over.load > 0) parts += fmt::format("{} to start, ", format_seconds(hand_over.load));
  if (work > 0) parts += fmt::format("{} for {}, ", format_seconds(work), what);
  return fail(ErrorCode::invalid_input,
              fmt::format("a function's lifetime of {} is too short: it takes {}{} for a snapshot, and some time to "
                          "spare: {} at least",
                          format_seconds(lifetime), parts, format_seconds(hand_over.save), format_seconds(needed)),
              {},
              "raise the lifetime; or make iterations and snapshots shorter with more stages, more replicas or faster "
              "functions");
}

}  // namespace funcpipe
