// Models the workers' links in one direction. The transfers of a link share its rate evenly. A link has the platform's
// token bucket, which is full at first and refilled at the baseline rate (as in emulator/token_bucket.h). If the links
// together would exceed the store's cap, all of them slow down by the same factor.
//
// An event costs O(log links), because a change of one link does not touch the others: a transfer ends when its link
// has given each of its transfers a certain number of bytes, and a link's next event is planned on a clock of all links
// together, which runs more slowly while the cap is exceeded.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "catalog/platform.h"
#include "simulator/event_queue.h"

namespace funcpipe {

class Links {
 public:
  // `most` is the largest number of transfers on one link at once. `cap` may be infinity. While the cap is exceeded,
  // buckets are emptied and refilled by the slowed clock too. That is an approximation, which matters only on a
  // platform with both a burst and a cap.
  Links(std::size_t most, BytesPerSecond cap) : most_(most), cap_(cap) {}

  void add(BytesPerSecond rate, const Burst& burst);
  // Starts a transfer. Requires bytes > 0 and a finite rate of the link. `order` is a number that no event has had.
  void start(std::size_t link, std::uint32_t transfer, double bytes, Seconds now, std::uint64_t order);

  bool empty() const { return heap_.empty(); }
  Moment next() const;
  // Executes the event at next() and appends the transfers that end to `ended`.
  void advance(std::uint64_t order, std::vector<std::uint32_t>& ended);

  Seconds busy(std::size_t link, Seconds now) const;  // Time so far in which the link had a transfer.

 private:
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  struct Transfer {
    std::uint32_t id = 0;
    double ends = 0;  // It ends when Link::given has reached this.
  };
  struct Link {
    BytesPerSecond baseline = 0, peak = 0, rate = 0;  // `rate` is the current one.
    double bucket = 0, tokens = 0;                    // Bytes.
    double given = 0;                                 // Bytes given to each of its transfers since it was last idle.
    double clock = 0;                                 // The common clock's time for which `given` and `tokens` hold.
    Seconds since = 0, busy = 0;                      // Start of the current busy or idle time; busy time before.
    std::uint32_t active = 0;                         // Number of transfers.
    bool empties = false;                             // The next event is that the bucket is empty.
    Moment planned;                                   // The next event, on the common clock.
    std::size_t place = kNowhere;                     // Position in heap_.
  };

  double clock_at(Seconds now) const { return anchor_clock_ + (now - anchor_time_) * speed_; }
  void change_demand(double by, Seconds now);
  void bring_up(Link& link, double clock) const;
  void plan(std::size_t index, std::uint64_t order);
  void sift(std::size_t place);
  void take_out(std::size_t place);

  std::size_t most_;
  BytesPerSecond cap_;
  BytesPerSecond demand_ = 0;
  double anchor_clock_ = 0, speed_ = 1;
  Seconds anchor_time_ = 0;
  std::vector<Link> links_;
  std::vector<Transfer> transfers_;  // `most` places for each link.
  std::vector<std::size_t> heap_;    // Links with transfers, as a heap by `planned`.
};

}  // namespace funcpipe
