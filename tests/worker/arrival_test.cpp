#include "worker/arrival.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <thread>
#include <utility>
#include <vector>

#include "store/memory_store.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;

// Time passes only when somebody sleeps or a request takes its time.
class DrivenClock final : public Clock {
 public:
  Seconds now() const override { return now_; }
  bool sleep_until(Seconds deadline, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    now_ = std::max(now_, deadline) + std::exchange(standstill, 0);
    return true;
  }
  void pass(Seconds seconds) { now_ += seconds; }
  Seconds standstill = 0;  // of the whole process, at the next sleep

 private:
  Seconds now_ = 1000;
};

// Answers GETs after `latency`; a key exists from its time on, as seen when the request was sent.
class TimedStore final : public Store {
 public:
  TimedStore(DrivenClock& clock, Seconds latency) : clock_(clock), latency_(latency) {}

  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange>) override {
    const Seconds asked = clock_.now();
    asked_at.push_back(asked);
    clock_.pass(slow_answers.empty() ? latency_ : slow_answers.front());
    if (!slow_answers.empty()) slow_answers.erase(slow_answers.begin());
    if (failure) return tl::unexpected(*failure);
    if (const auto found = there_from.find(key); found == there_from.end() || asked < found->second)
      return std::nullopt;
    FUNCPIPE_TRY(bytes, destination(4));
    std::fill_n(bytes.begin(), 4, std::byte{7});
    return std::optional<Bytes>(4);
  }
  Result<PutOutcome> put(const std::string&, std::span<const ConstBytes>, PutMode) override { return unused(); }
  Result<std::optional<Bytes>> size(const std::string&) override { return unused(); }
  Result<> remove(std::span<const std::string>) override { return unused(); }
  Result<std::vector<ListedObject>> list(const std::string&) override { return unused(); }

  std::map<std::string, Seconds> there_from;
  std::vector<Seconds> asked_at;
  std::vector<Seconds> slow_answers;  // of the next GETs, in place of the latency
  std::optional<Error> failure;

 private:
  static tl::unexpected<Error> unused() {
    ADD_FAILURE() << "waiting asks by GET only";
    return fail(ErrorCode::failed, "not a GET");
  }
  DrivenClock& clock_;
  const Seconds latency_;
};

const AwaitedObject kObject{.key = "job/i00000003/activation/s0-r1/m3",
                            .waiting = {1, 1},
                            .producer = {0, 1},
                            .operation = "receive_activation",
                            .iteration = 3};

struct Wait {
  DrivenClock clock;
  TimedStore store;
  std::array<std::byte, 4> bytes{};
  Polling polling;
  std::stop_source stop;

  explicit Wait(Seconds latency) : store(clock, latency) {}
  Result<Arrival> fetch(Seconds arrives, std::optional<Seconds> expected = {}) {
    const Seconds now = clock.now();
    store.there_from[kObject.key] = now + arrives;
    return fetch_when_there(
        store, kObject, [&](Bytes) -> Result<MutableBytes> { return MutableBytes(bytes); }, clock, now, expected,
        polling, stop.get_token());
  }
};

TEST(FetchWhenThere, TakesWhatIsThereWithOneGet) {
  Wait wait(0.02);
  const auto arrival = wait.fetch(0);
  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->polls, 1);
  EXPECT_EQ(arrival->size, 4);
  EXPECT_EQ(wait.bytes[3], std::byte{7});
  EXPECT_FALSE(arrival->last_missed);
}

TEST(FetchWhenThere, AsksOnlyWhenItIsExpected) {
  Wait wait(0.02);
  const auto arrival = wait.fetch(0.5, 0.55);
  ASSERT_TRUE(arrival);
  EXPECT_EQ(arrival->polls, 1);
  EXPECT_NEAR(arrival->found, 0.55, 1e-9);
}

TEST(FetchWhenThere, AStandstillOfTheProcessIsNotTheProducersDelay) {
  Wait wait(0.02);
  wait.polling.limit = 20;
  wait.clock.standstill = 70;  // everything was stopped; the producer goes on when this worker does
  const auto arrival = wait.fetch(70 + 15);
  ASSERT_TRUE(arrival) << describe(arrival.error());

  wait.clock.standstill = 70;
  const auto late = wait.fetch(70 + 30);
  ASSERT_FALSE(late) << "of its own account it is late all the same";
  EXPECT_EQ(late.error().code, ErrorCode::timeout);
}

TEST(FetchWhenThere, NorIsASilentStore) {
  Wait wait(0.02);
  wait.polling.limit = 20;
  wait.store.slow_answers = {0.02, 60, 60};
  const auto arrival = wait.fetch(120 + 5);
  ASSERT_TRUE(arrival) << describe(arrival.error());
}

TEST(FetchWhenThere, TellsOfALongWaitOnceAndWhileItLasts) {
  Wait wait(0.02);
  wait.store.there_from[kObject.key] = wait.clock.now() + 50;
  std::vector<Seconds> told;
  const Seconds began = wait.clock.now();
  const auto arrival = fetch_when_there(
      wait.store, kObject, [&](Bytes) -> Result<MutableBytes> { return MutableBytes(wait.bytes); }, wait.clock, began,
      {}, wait.polling, {}, {.after = 20, .tell = [&] { told.push_back(wait.clock.now() - began); }});
  ASSERT_TRUE(arrival);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_NEAR(told.front(), 20, 0.5);
}

TEST(FetchWhenThere, ASlowMissIsFollowedByTheNextQuestionAtOnce) {
  Wait wait(0.02);
  const auto arrival = wait.fetch(0.065, 0.05);
  ASSERT_TRUE(arrival);
  // Missed at 0.05; the answer came at 0.07, when the pause was long over.
  EXPECT_EQ(arrival->polls, 2);
  EXPECT_NEAR(arrival->found, 0.07, 1e-6);
}

TEST(FetchWhenThere, AFastStoreIsNotAskedWithoutPause) {
  Wait wait(0.0001);
  const auto arrival = wait.fetch(10);
  ASSERT_TRUE(arrival);
  EXPECT_LT(arrival->polls, 100) << "pauses grow";
  EXPECT_LT(arrival->found, 10.26) << "but not beyond their cap";
  for (std::size_t i = 1; i < wait.store.asked_at.size(); ++i) {
    EXPECT_GE(wait.store.asked_at[i] - wait.store.asked_at[i - 1], 0.002 - 1e-9);
  }
}

TEST(FetchWhenThere, SaysWhoWaitsForWhomAtTheLimit) {
  for (const std::optional<Seconds> expected : {std::optional<Seconds>{}, std::optional<Seconds>{500}}) {
    Wait wait(0.02);
    wait.polling.limit = 2;
    const Seconds began = wait.clock.now();
    const auto arrival = wait.fetch(1e9, expected);
    ASSERT_FALSE(arrival);
    EXPECT_EQ(arrival.error().code, ErrorCode::timeout);
    const std::string text = describe(arrival.error());
    for (const auto* said : {"stage 1 replica 1 waits for stage 0 replica 1", "receive_activation of iteration 3",
                             "job/i00000003/activation/s0-r1/m3", "GETs", "wait_limit"}) {
      EXPECT_THAT(text, HasSubstr(said));
    }
    EXPECT_LT(wait.clock.now() - began, 2.1) << "an expectation beyond the limit does not move the limit";
    EXPECT_GE(wait.store.asked_at.size(), 1u) << "asked at least once, whatever was expected";
  }
}

TEST(FetchWhenThere, PassesOnTheStoresError) {
  Wait wait(0.02);
  wait.store.failure = Error{.code = ErrorCode::permission_denied, .message = "who are you"};
  const auto arrival = wait.fetch(0);
  ASSERT_FALSE(arrival);
  EXPECT_EQ(arrival.error().code, ErrorCode::permission_denied);
}

TEST(FetchWhenThere, StopsAtOnce) {
  MemoryStore store;
  SystemClock clock;
  std::stop_source stop;
  std::jthread other([&] { stop.request_stop(); });
  const auto arrival = fetch_when_there(
      store, kObject, [](Bytes) -> Result<MutableBytes> { return MutableBytes(); }, clock, clock.now(), 3600, {},
      stop.get_token());
  ASSERT_FALSE(arrival);
  EXPECT_EQ(arrival.error().code, ErrorCode::cancelled);
}

struct Learnt {
  double polls = 0;  // per wait
  Seconds late = 0;  // the GET that found it, after the arrival
};

// 40 iterations to learn, 100 to measure.
Learnt learn(Seconds latency, const std::function<Seconds(int)>& arrives) {
  Wait wait(latency);
  ArrivalEstimates estimates;
  Learnt learnt;
  for (int t = 0; t < 140; ++t) {
    const auto arrival = wait.fetch(arrives(t), estimates.first_poll(0));
    EXPECT_TRUE(arrival);
    if (!arrival) return learnt;
    estimates.learn(0, *arrival);
    if (t < 40) continue;
    learnt.polls += arrival->polls / 100.0;
    learnt.late += (arrival->found - arrives(t)) / 100.0;
  }
  return learnt;
}

TEST(ArrivalEstimates, LearnASteadyArrival) {
  const Learnt near = learn(0.02, [](int) { return 0.3; });
  EXPECT_LT(near.polls, 4);
  EXPECT_LT(near.late, 0.02) << "not a whole request's latency";
  const Learnt local = learn(0.0003, [](int) { return 0.05; });
  EXPECT_LT(local.late, 0.003);
  EXPECT_LT(local.polls, 5);
  const Learnt at_once = learn(0.02, [](int) { return 0.0; });
  EXPECT_LT(at_once.late, 0.003) << "what is always there is asked for at once";
}

TEST(ArrivalEstimates, OneLateIterationDoesNotMakeTheNextOnesLate) {
  const Learnt learnt = learn(0.02, [](int t) { return t % 50 == 49 ? 5.0 : 0.3; });
  EXPECT_LT(learnt.late, 0.03);
}

TEST(ArrivalEstimates, FollowAJobThatGetsFaster) {
  Wait wait(0.02);
  ArrivalEstimates estimates;
  for (int t = 0; t < 60; ++t) {
    const Seconds arrives = t < 20 ? 1.0 : 0.2;
    const auto arrival = wait.fetch(arrives, estimates.first_poll(5));
    ASSERT_TRUE(arrival);
    estimates.learn(5, *arrival);
  }
  EXPECT_LT(*estimates.first_poll(5), 0.25);
  EXPECT_FALSE(estimates.first_poll(6)) << "each operation by itself";
}

}  // namespace
}  // namespace funcpipe
