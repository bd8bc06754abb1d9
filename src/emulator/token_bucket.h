// Bandwidth as token buckets. One bucket limits one direction of one instance and is shared by all its connections;
// another limits the store and is shared by all instances. Used on the io_context's thread only.
//
// A transfer asks for its bytes chunk by chunk through a Pacer of its own. Each chunk gets a slot on the bucket's
// schedule, in the order of asking. The schedule runs in computed time: a chunk that was woken late gets its next slot
// from where its last one ended, so late timers do not add up.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <memory>

#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

class TokenBucket {
 public:
  // A `rate` of infinity means no limit. `burst.bytes` may be sent at `burst.rate` before the baseline `rate` holds;
  // while traffic pauses they are refilled at the baseline rate. Both are meant after dilation.
  TokenBucket(BytesPerSecond rate, Burst burst);

  bool unlimited() const { return unlimited_; }
  // The chunk that a transfer should use: what passes in about 5 ms at the fastest rate, from 16 KiB to 1 MiB.
  std::size_t chunk() const { return chunk_; }

  // Books `bytes` no earlier than `from` and returns when they will have passed. Times are seconds of steady_clock.
  Seconds book(Bytes bytes, Seconds from);

 private:
  bool unlimited_;
  BytesPerSecond rate_;
  Burst burst_;
  std::size_t chunk_;
  Seconds baseline_end_ = 0;  // when everything booked would have passed at the baseline rate
  Seconds peak_end_ = 0;      // the same at the burst rate
};

// The buckets that a transfer passes. Without a bucket, or with an unlimited one, it is not slowed.
struct Route {
  std::shared_ptr<TokenBucket> instance;  // shared with the instance's other transfers
  std::shared_ptr<TokenBucket> store;     // shared by all instances

  bool limited() const;
};

// The store's bandwidth for all instances together; nullptr where there is no limit.
struct StoreLinks {
  std::shared_ptr<TokenBucket> uplink, downlink;
};
// `dilation` is that of EmulatorOptions.
StoreLinks store_links(const Platform& platform, double dilation);

// One transfer (the body of a request or of an answer), which passes both buckets of its route at the same time.
class Pacer {
 public:
  explicit Pacer(Route route = {}) : route_(std::move(route)) {}

  bool limited() const { return route_.limited(); }
  // The most bytes for one take().
  std::size_t chunk() const;
  // Waits until `bytes` have passed.
  boost::asio::awaitable<void> take(Bytes bytes);

 private:
  Route route_;
  Seconds last_slot_ = -1;
};

}  // namespace funcpipe
