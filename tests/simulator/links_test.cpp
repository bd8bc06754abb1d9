// Fluid links by hand: MB and MB/s.
#include "simulator/links.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

namespace funcpipe {
namespace {

constexpr double kUncapped = std::numeric_limits<double>::infinity();

// Plays everything out: when each transfer ends.
struct Playing {
  explicit Playing(double cap = kUncapped) : links(4, cap) {}

  void until(Seconds time) {
    while (!links.empty() && links.next().time <= time) {
      const Seconds now = links.next().time;
      std::vector<std::uint32_t> ended;
      links.advance(++order, ended);
      for (const std::uint32_t transfer : ended) ends[transfer] = now;
    }
  }
  void start(std::size_t link, std::uint32_t transfer, double megabytes, Seconds now) {
    until(now);
    links.start(link, transfer, megabytes, now, ++order);
  }
  Seconds end(std::uint32_t transfer) {
    until(1e9);
    return ends.at(transfer);
  }

  Links links;
  std::uint64_t order = 0;
  std::map<std::uint32_t, Seconds> ends;
};

TEST(Links, TransfersShareARateEvenly) {
  Playing playing;
  playing.links.add(100, {});
  playing.start(0, 1, 100, 0);
  playing.start(0, 2, 50, 0.5);   // 50 are left of each
  playing.start(0, 3, 30, 1.25);  // 12.5 of each; then three
  EXPECT_DOUBLE_EQ(playing.end(1), 1.625);
  EXPECT_DOUBLE_EQ(playing.end(2), 1.625);
  EXPECT_DOUBLE_EQ(playing.end(3), 1.8);
  EXPECT_DOUBLE_EQ(playing.links.busy(0, 5), 1.8);
}

TEST(Links, OthersAreNotTouched) {
  Playing playing;
  playing.links.add(100, {});
  playing.links.add(50, {});
  playing.start(0, 1, 100, 0);
  playing.start(1, 2, 100, 0.5);
  EXPECT_DOUBLE_EQ(playing.end(1), 1);
  EXPECT_DOUBLE_EQ(playing.end(2), 2.5);
}

TEST(Links, ABucketEmptiesAndFillsWhileIdle) {
  Playing playing;
  playing.links.add(100, {.bytes = 90, .rate = 1000});
  playing.start(0, 1, 200, 0);  // 90/(1000-100) = 0.1 s at 1000, then 100 at 100
  EXPECT_DOUBLE_EQ(playing.end(1), 1.1);
  playing.start(0, 2, 100, 1.55);  // 45 in the bucket: 0.05 s at 1000, then 50 at 100
  EXPECT_DOUBLE_EQ(playing.end(2), 2.1);
  playing.start(0, 3, 100, 1000);  // full, not fuller
  EXPECT_DOUBLE_EQ(playing.end(3), 1000.1);
}

TEST(Links, ACapSlowsAllAlike) {
  Playing playing(150);
  playing.links.add(100, {});
  playing.links.add(200, {});
  playing.start(0, 1, 100, 0);    // alone below the cap
  playing.start(1, 2, 200, 0.5);  // together 300: both at half
  // 50 left at 50/s: until 1.5, when the other has had 100; it then is alone at 150.
  EXPECT_DOUBLE_EQ(playing.end(1), 1.5);
  EXPECT_DOUBLE_EQ(playing.end(2), 1.5 + 100.0 / 150);
}

}  // namespace
}  // namespace funcpipe
