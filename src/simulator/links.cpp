#include "simulator/links.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace funcpipe {

void Links::add(BytesPerSecond rate, const Burst& burst) {
  Link link{.baseline = rate, .peak = rate};
  if (burst.bytes > 0 && burst.rate > rate) {
    link.peak = burst.rate;
    link.bucket = link.tokens = static_cast<double>(burst.bytes);
  }
  links_.push_back(link);
  transfers_.resize(links_.size() * most_);
}

void Links::change_demand(double by, Seconds now) {
  demand_ += by;
  if (std::isinf(cap_)) return;
  const double speed = demand_ > cap_ ? cap_ / demand_ : 1;
  if (speed == speed_) return;
  anchor_clock_ = clock_at(now);
  anchor_time_ = now;
  speed_ = speed;
}

void Links::bring_up(Link& link, double clock) const {
  const double passed = clock - link.clock;
  link.given += passed * link.rate / link.active;
  if (link.bucket > 0) link.tokens = std::clamp(link.tokens + passed * (link.baseline - link.rate), 0.0, link.bucket);
  link.clock = clock;
}

void Links::start(std::size_t index, std::uint32_t transfer, double bytes, Seconds now, std::uint64_t order) {
  Link& link = links_[index];
  FUNCPIPE_CHECK(link.active < most_, "{} transfers on a link for {}", link.active + 1, most_);
  if (link.active == 0) {
    if (link.bucket > 0) link.tokens = std::min(link.bucket, link.tokens + (now - link.since) * link.baseline);
    link.given = 0;
    link.since = now;
    link.rate = link.tokens > 0 ? link.peak : link.baseline;
    change_demand(link.rate, now);
    link.clock = clock_at(now);
  } else {
    bring_up(link, clock_at(now));
  }
  transfers_[index * most_ + link.active++] = {transfer, link.given + bytes};
  plan(index, order);
}

Moment Links::next() const {
  const Moment& planned = links_[heap_.front()].planned;
  return {anchor_time_ + (planned.time - anchor_clock_) / speed_, planned.order};
}

void Links::advance(std::uint64_t order, std::vector<std::uint32_t>& ended) {
  const Seconds now = next().time;
  const std::size_t index = heap_.front();
  Link& link = links_[index];
  bring_up(link, link.planned.time);
  if (link.empties) {
    link.tokens = 0;
    change_demand(link.baseline - link.rate, now);
    link.rate = link.baseline;
  } else {
    Transfer* const first = transfers_.data() + index * most_;
    double least = first->ends;
    for (std::uint32_t i = 1; i < link.active; ++i) least = std::min(least, first[i].ends);
    link.given = least;  // Exactly, so that rounding leaves no transfer with a tiny rest.
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < link.active; ++i) {
      if (first[i].ends <= least)
        ended.push_back(first[i].id);
      else
        first[kept++] = first[i];
    }
    link.active = kept;
    if (kept == 0) {
      link.busy += now - link.since;
      link.since = now;
      change_demand(-link.rate, now);
      take_out(link.place);
      if (heap_.empty()) demand_ = 0;  // Removes rounding errors.
      return;
    }
  }
  plan(index, order);
}

void Links::plan(std::size_t index, std::uint64_t order) {
  Link& link = links_[index];
  const Transfer* const first = transfers_.data() + index * most_;
  double least = first->ends;
  for (std::uint32_t i = 1; i < link.active; ++i) least = std::min(least, first[i].ends);
  const double ends = link.clock + std::max(0.0, least - link.given) * link.active / link.rate;
  const double empty = link.rate > link.baseline ? link.clock + link.tokens / (link.rate - link.baseline)
                                                 : std::numeric_limits<double>::infinity();
  link.empties = empty < ends;
  link.planned = {std::min(ends, empty), order};
  if (link.place == kNowhere) {
    link.place = heap_.size();
    heap_.push_back(index);
  }
  sift(link.place);
}

Seconds Links::busy(std::size_t index, Seconds now) const {
  const Link& link = links_[index];
  return link.busy + (link.active > 0 ? now - link.since : 0);
}

// Moves the link at `place` of the heap to the place where it belongs.
void Links::sift(std::size_t place) {
  const std::size_t index = heap_[place];
  const Moment planned = links_[index].planned;
  while (place > 0) {
    const std::size_t parent = (place - 1) / 2;
    if (!(planned < links_[heap_[parent]].planned)) break;
    heap_[place] = heap_[parent];
    links_[heap_[place]].place = place;
    place = parent;
  }
  while (true) {
    std::size_t child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && links_[heap_[child + 1]].planned < links_[heap_[child]].planned) ++child;
    if (!(links_[heap_[child]].planned < planned)) break;
    heap_[place] = heap_[child];
    links_[heap_[place]].place = place;
    place = child;
  }
  heap_[place] = index;
  links_[index].place = place;
}

void Links::take_out(std::size_t place) {
  links_[heap_[place]].place = kNowhere;
  const std::size_t last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  heap_[place] = last;
  sift(place);
}

}  // namespace funcpipe
