// The workers' links in one direction as fluids: the transfers of a link share its rate evenly, a link has the
// platform's token bucket (as emulator/token_bucket.h: full at first, refilled at the baseline rate), and where the
// store has a cap all links slow down alike while they would exceed it together.
//
// Three clocks keep an event at O(log links): a transfer ends when its link has given each of its transfers so many
// bytes; a link's next event is planned on a clock of the whole group that runs slower while the cap holds; so a change
// of one touches no other.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "catalog/platform.h"
#include "simulator/event_queue.h"

namespace funcpipe {

class Links {
 public:
  // `most`: transfers on one link at once. `cap` may be infinity. While the cap holds, buckets are emptied and refilled
  // by the slowed clock too: where there are both (a parameter server beside functions with a burst), near enough.
  Links(std::size_t most, BytesPerSecond cap) : most_(most), cap_(cap) {}

  void add(BytesPerSecond rate, const Burst& burst);
  // `bytes` > 0, the link's rate finite. `order`: a number no event has had.
  void start(std::size_t link, std::uint32_t transfer, double bytes, Seconds now, std::uint64_t order);

  bool empty() const { return heap_.empty(); }
  Moment next() const;
  // What is planned for next() happens: transfers that end go to `ended`.
  void advance(std::uint64_t order, std::vector<std::uint32_t>& ended);

  Seconds busy(std::size_t link, Seconds now) const;  // with at least one transfer, so far

 private:
  static constexpr std::size_t kNowhere = std::numeric_limits<std::size_t>::max();
  struct Transfer {
    std::uint32_t id = 0;
    double ends = 0;  // when the link has given each transfer so many bytes
  };
  struct Link {
    BytesPerSecond baseline = 0, peak = 0, rate = 0;  // rate: of now
    double bucket = 0, tokens = 0;                    // bytes
    double given = 0;                                 // to each of its transfers, since it was last idle
    double clock = 0;                                 // of the group, when `given` and `tokens` were right
    Seconds since = 0, busy = 0;                      // busy or idle since; busy before
    std::uint32_t active = 0;
    bool empties = false;  // the next event is the bucket's
    Moment planned;        // on the group's clock
    std::size_t place = kNowhere;
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
  std::vector<Transfer> transfers_;  // `most` places for each link
  std::vector<std::size_t> heap_;    // links, by `planned`
};

}  // namespace funcpipe
