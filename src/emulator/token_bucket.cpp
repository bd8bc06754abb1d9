#include "emulator/token_bucket.h"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cmath>

namespace funcpipe {
namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

namespace {

constexpr Seconds kChunkSeconds = 0.005;
// A transfer that was held up by its other end may catch up with at most this much time.
constexpr Seconds kMostCatchUp = 0.05;

Seconds now() {
  return std::chrono::duration<double>(SteadyClock::now().time_since_epoch()).count();
}

}  // namespace

TokenBucket::TokenBucket(BytesPerSecond rate, Burst burst)
    : unlimited_(!std::isfinite(rate) || rate <= 0), rate_(rate), burst_(burst) {
  if (burst_.rate <= rate_) burst_.bytes = 0;
  const double fastest = unlimited_ ? 0 : std::max(rate_, burst_.bytes > 0 ? burst_.rate : 0);
  chunk_ = static_cast<std::size_t>(std::clamp(fastest * kChunkSeconds, 16.0 * 1024, 1024.0 * 1024));
}

Seconds TokenBucket::book(Bytes bytes, Seconds from) {
  if (unlimited_) return from;
  baseline_end_ = std::max(baseline_end_, from) + static_cast<double>(bytes) / rate_;
  if (burst_.bytes == 0) return baseline_end_;
  peak_end_ = std::max(peak_end_, from) + static_cast<double>(bytes) / burst_.rate;
  return std::max(peak_end_, baseline_end_ - static_cast<double>(burst_.bytes) / rate_);
}

namespace {

bool limits(const std::shared_ptr<TokenBucket>& bucket) {
  return bucket && !bucket->unlimited();
}

}  // namespace

bool Route::limited() const {
  return limits(instance) || limits(store);
}

StoreLinks store_links(const Platform& platform, double dilation) {
  if (!platform.limited || !platform.limit_network) return {};
  const auto link = [&](BytesPerSecond rate) {
    return std::isinf(rate) ? nullptr : std::make_shared<TokenBucket>(rate / dilation, Burst{});
  };
  return {.uplink = link(platform.store.upload), .downlink = link(platform.store.download)};
}

std::size_t Pacer::chunk() const {
  std::size_t least = std::size_t{1} << 20;
  for (const auto& bucket : {route_.instance, route_.store})
    if (limits(bucket)) least = std::min(least, bucket->chunk());
  return least;
}

asio::awaitable<void> Pacer::take(Bytes bytes) {
  if (!limited() || bytes <= 0) co_return;
  const Seconds asked = now();
  const Seconds from = last_slot_ < 0 ? asked : std::max(last_slot_, asked - kMostCatchUp);
  last_slot_ = from;
  for (const auto& bucket : {route_.instance, route_.store})
    if (limits(bucket)) last_slot_ = std::max(last_slot_, bucket->book(bytes, from));
  if (last_slot_ <= asked) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_at(SteadyClock::time_point(
      std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<double>(last_slot_))));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace funcpipe
