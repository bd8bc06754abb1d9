#include "base/send_rate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <queue>
#include <vector>

namespace funcpipe {
namespace {

// Sends `rate` requests a second for `seconds` from `now` on.
Seconds send(SendRate& sender, double rate, Seconds now, Seconds seconds) {
  for (const Seconds end = now + seconds; now < end; now += 1 / rate) EXPECT_DOUBLE_EQ(*sender.take(now), now);
  return now;
}

TEST(SendRate, HoldsNothingBackBeforeARefusal) {
  SendRate sender;
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(*sender.take(3), 3);
  EXPECT_FALSE(sender.rate(3));
}

TEST(SendRate, FallsToAShareOfWhatWasRefusedAndGrowsPastIt) {
  SendRate sender;
  const Seconds now = send(sender, 100, 0, 3);
  sender.refused(now, now - 0.05);
  EXPECT_NEAR(*sender.rate(now), 70, 2);
  const Seconds first = *sender.take(now), second = *sender.take(now);
  EXPECT_NEAR(first - now, 1 / 70.0, 0.001);
  EXPECT_NEAR(second - first, 1 / 70.0, 0.001);
  EXPECT_NEAR(*sender.rate(now + 5.48), 100, 2) << "sqrt(100 * 0.3)";
  EXPECT_GT(*sender.rate(now + 15), 150);
  for (Seconds later = 0; later < 20; later += 0.1)
    EXPECT_LE(*sender.rate(now + later), *sender.rate(now + later + 0.1));
}

TEST(SendRate, OneRefusalAloneCostsLittle) {
  SendRate sender;
  sender.take(10);
  sender.refused(10.05, 10);
  EXPECT_LE(*sender.take(10.06), 10.6);
}

TEST(SendRate, OneOverloadIsOneRefusal) {
  SendRate sender;
  const Seconds now = send(sender, 100, 0, 3);
  for (int i = 0; i < 8; ++i) sender.refused(now + i * 0.001, now - 0.05);
  EXPECT_NEAR(*sender.rate(now), 70, 2);
  sender.refused(now + 0.1, now + 0.05);
  EXPECT_NEAR(*sender.rate(now + 0.1), 0.7 * 70, 3);
}

TEST(SendRate, TakesNoTimeThatIsTooLate) {
  SendRate sender;
  sender.take(0);
  sender.refused(0.1, 0);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(sender.take(0.1, 10));
  const Seconds next = *sender.take(0.1);
  EXPECT_FALSE(sender.take(0.1, next));
  EXPECT_GT(*sender.take(0.1), next) << "the one given up took no time";
}

// A queue that forms while the rate is low is let out as the rate grows.
TEST(SendRate, AQueueProfitsFromTheGrowth) {
  SendRate sender;
  sender.take(0);
  sender.refused(0.1, 0);
  Seconds last = 0;
  for (int i = 0; i < 400; ++i) last = *sender.take(0.1);
  EXPECT_LT(last, 15);
}

// Clients with four connections each that send as fast as they may, through a service that takes `limit` requests a
// second and answers after 50 ms. Returns served and refused requests a second.
struct Shares {
  double served = 0, refused = 0;
};
Shares shared(int clients, double limit, bool paced) {
  constexpr Seconds kEnd = 60, kLatency = 0.05;
  constexpr int kConnections = 4;
  struct Turn {
    Seconds at;
    int client;
    bool sending;  // else: answered
    bool refused;
    Seconds sent;
    bool operator<(const Turn& other) const { return at > other.at; }
  };
  std::vector<SendRate> senders(static_cast<std::size_t>(clients));
  std::priority_queue<Turn> turns;
  for (int i = 0; i < clients * kConnections; ++i) turns.push({0, i % clients, true, false, 0});
  double tokens = limit, served = 0, refused = 0;
  Seconds last = 0;
  while (turns.top().at < kEnd) {
    const Turn turn = turns.top();
    turns.pop();
    SendRate& sender = senders[static_cast<std::size_t>(turn.client)];
    if (turn.sending) {
      tokens = std::min(limit, tokens + (turn.at - last) * limit);
      last = turn.at;
      const bool taken = tokens >= 1;
      if (taken) tokens -= 1;
      (taken ? served : refused) += turn.at >= kEnd / 2 ? 1 : 0;
      turns.push({turn.at + kLatency, turn.client, false, !taken, turn.at});
    } else {
      if (turn.refused && paced) sender.refused(turn.at, turn.sent);
      turns.push({paced ? *sender.take(turn.at) : turn.at, turn.client, true, false, 0});
    }
  }
  return {served / (kEnd / 2), refused / (kEnd / 2)};
}

TEST(SendRate, ManyClientsFindTheirSharesOfALimit) {
  for (const int clients : {10, 100, 400}) {
    const Shares found = shared(clients, 2000, true);
    EXPECT_GT(found.served, 0.8 * std::min(2000.0, clients * 80.0)) << clients;
    EXPECT_LT(found.refused, 0.5 * found.served) << clients;
  }
  const Shares unpaced = shared(400, 2000, false);
  EXPECT_GT(unpaced.refused, 10 * unpaced.served);
}

}  // namespace
}  // namespace funcpipe
