// What the outside does to a job: twins, damage, silence, stops.
#include <gmock/gmock.h>

#include <chrono>
#include <set>
#include <thread>

#include "in_process_job.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"

namespace funcpipe::testing {
namespace {

using ::testing::HasSubstr;

// Hands its work to another store and watches it.
class WatchingStore final : public Store {
 public:
  explicit WatchingStore(Store& inner) : inner_(inner) {}
  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) override {
    auto outcome = lose && key.find(*lose) != std::string::npos ? Result<PutOutcome>(PutOutcome::created)
                                                                : inner_.put(key, pieces, mode);
    const std::lock_guard lock(mutex);
    if (mode == PutMode::overwrite)
      overwriting.insert(key);
    else if (!created.insert(key).second)
      twice.insert(key);
    return outcome;
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range) override {
    return inner_.get(key, destination, range);
  }
  Result<std::optional<Bytes>> size(const std::string& key) override { return inner_.size(key); }
  Result<> remove(std::span<const std::string> keys) override { return inner_.remove(keys); }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override {
    if (prefix.starts_with("job/i")) ++exchange_lists;
    return inner_.list(prefix);
  }

  std::optional<std::string> lose;  // puts of keys with this in them vanish
  std::mutex mutex;
  std::set<std::string> created, overwriting, twice;
  std::atomic<int> exchange_lists = 0;

 private:
  Store& inner_;
};

// Objects are named by iteration and published once, create-if-absent; nobody ever lists to find one.
TEST(Objects, ArePublishedOnceUnderTheirOwnNames) {
  MemoryStore memory;
  WatchingStore store(memory);
  const Training training{.model = skip_model(), .steps = 6};
  ASSERT_TRUE(train(training, {{1, 2}, 2}, store));
  EXPECT_TRUE(store.twice.empty()) << *store.twice.begin();
  EXPECT_EQ(store.exchange_lists, 0);
  for (const std::string& key : store.overwriting) EXPECT_FALSE(key.starts_with("job/i")) << key;
  std::set<std::string> iterations;
  for (const std::string& key : store.created)
    if (key.starts_with("job/i")) iterations.insert(key.substr(4, 9));
  EXPECT_EQ(iterations.size(), 6u);
}

// An object that never comes: the wait ends, and the error says who waited for whom.
TEST(Faults, ALostObjectEndsInATimeOutThatNamesBoth) {
  MemoryStore memory;
  WatchingStore store(memory);
  store.lose = "i00000002/activation/s0-r1";
  Training training{.model = skip_model(), .steps = 4};
  training.adjust = [](JobConfig& config) { config.training.wait_limit = 1.5; };
  const auto started = std::chrono::steady_clock::now();
  const auto outcome = train(training, {{2}, 2}, store);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::timeout);
  const std::string text = describe(outcome.error());
  EXPECT_THAT(text, HasSubstr("stage "));
  EXPECT_THAT(text, HasSubstr("i00000002"));
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(30));
}

// Damage on the way is noticed by the checksum; it never becomes a wrong gradient.
TEST(Faults, DamageIsNoticed) {
  MemoryStore memory;
  const Training training{.model = regression_model(), .steps = 10};
  FaultyStore store(memory, {.seed = 5, .corrupt = 0.05, .quiet = true});
  const auto outcome = train(training, {{1}, 2}, store);
  ASSERT_FALSE(outcome);
  EXPECT_NE(outcome.error().code, ErrorCode::timeout) << describe(outcome.error());
}

// Delays change when things happen, not what comes out.
TEST(Faults, DelaysChangeNothing) {
  const Training training{.model = batch_norm_model(), .steps = 6};
  MemoryStore quick, memory;
  FaultyStore slow(memory, {.seed = 9, .delay = 0.3, .longest_delay = 0.02, .quiet = true});
  const auto a = train(training, {{1, 2}, 3}, quick);
  const auto b = train(training, {{1, 2}, 3}, slow);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(first_difference(b->tensors, a->tensors), "");
}

// Seeds count: another seed orders the data otherwise.
TEST(Seed, ChangesTheTraining) {
  Training training{.model = dropout_model(), .steps = 6};
  MemoryStore first, second;
  const auto a = train(training, {{1}, 1}, first);
  training.adjust = [](JobConfig& config) { config.job.seed = 12; };
  const auto b = train(training, {{1}, 1}, second);
  ASSERT_TRUE(a && b);
  EXPECT_NE(first_difference(b->tensors, a->tensors), "");
}

}  // namespace
}  // namespace funcpipe::testing
