// Bandwidth of one direction of one instance: a token bucket shared by all its connections, on the io_context's thread;
// and of the store, a bucket shared by all instances.
//
// A transfer asks for its bytes chunk by chunk through a Pacer of its own; each chunk gets a slot on the bucket's
// schedule, in the order of asking. The schedule runs in computed time, not in slept time: a chunk woken late asks for
// its next slot from where the last one ended, so late timers do not add up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

class TokenBucket {
 public:
  // `rate` may be infinity: no limit and no cost. `burst` lies on top: so many bytes may run ahead of the baseline at
  // `burst.rate`, refilled at the baseline rate while traffic pauses. Both as they are after dilation.
  TokenBucket(BytesPerSecond rate, Burst burst);

  bool unlimited() const { return unlimited_; }
  // Bytes worth about 5 ms at the fastest rate, 16 KiB..1 MiB: the chunk a paced transfer should use.
  std::size_t chunk() const { return chunk_; }

  // Books `bytes` no earlier than `from` and returns when they may have passed. Times in seconds of steady_clock.
  Seconds book(Bytes bytes, Seconds from);

 private:
  bool unlimited_;
  BytesPerSecond rate_;
  Burst burst_;
  std::size_t chunk_;
  Seconds baseline_end_ = 0;  // when everything booked would have passed at the baseline rate
  Seconds peak_end_ = 0;      // the same at the burst rate
};

// What a transfer passes. Without a bucket, or with an unlimited one: free.
struct Route {
  std::shared_ptr<TokenBucket> instance;  // shared with the instance's other transfers and its credentials
  std::shared_ptr<TokenBucket> store;     // shared with those of all instances

  bool limited() const;
};

// What the store gives all instances together; null where there is no limit.
struct StoreLinks {
  std::shared_ptr<TokenBucket> uplink, downlink;
};
// `dilation` as in EmulatorOptions.
StoreLinks store_links(const Platform& platform, double dilation);

// One transfer (a request's body, a response's body) through both buckets of its route at once.
class Pacer {
 public:
  explicit Pacer(Route route = {}) : route_(std::move(route)) {}

  bool limited() const { return route_.limited(); }
  // At most this many bytes per take().
  std::size_t chunk() const;
  // Waits until `bytes` have passed.
  boost::asio::awaitable<void> take(Bytes bytes);

 private:
  Route route_;
  Seconds last_slot_ = -1;
};

}  // namespace funcpipe
