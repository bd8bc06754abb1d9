// Workers with all their threads at once, for ThreadSanitizer to watch: exchange, stage executor, sample source,
// reporter and parameter server. Only the model is made by hand.
//
// libtorch's own code is not instrumented, so races inside it are not seen; ours, which hands tensors from thread to
// thread, is, libtorch's headers in it too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "linear_stages.h"
#include "mortal_store.h"
#include "protocol/invocation.h"
#include "protocol/job_keys.h"
#include "protocol/job_spec.h"
#include "protocol/programs.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"
#include "worker/exchange.h"
#include "worker/worker.h"

namespace funcpipe::testing {
namespace {

constexpr const char* kPrefix = "job";
constexpr Seconds kForever = std::numeric_limits<Seconds>::infinity();

struct Played {
  std::vector<std::string> trained;  // the stage files
  std::vector<Error> errors;
  int invocations = 0;
  int deaths = 0;
};

// How many lives of each worker are killed, and when: after an even draw of 0 to `longest` requests.
struct Deaths {
  int lives = 0;
  std::int64_t longest = 0;
  std::uint64_t seed = 0;
};

// Every worker on a thread of its own beside those of its lanes, invoked again while it answers "continue".
class Workers {
 public:
  // `twins`: so many seconds later every worker has a second life, beside the first.
  Workers(const LinearJob& job, Store& store, Seconds lifetime, Deaths deaths = {}, std::optional<Seconds> twins = {})
      : store_(store), lifetime_(lifetime), deaths_(deaths) {
    auto spec = publish_job(job, store, kPrefix);
    EXPECT_TRUE(spec) << describe(spec.error());
    spec_ = std::move(*spec);
    const auto proven = prove_programs(spec_);
    EXPECT_TRUE(proven) << describe(proven.error());
    for (const WorkerId worker : spec_.plan.workers())
      threads_.emplace_back([this, worker, programs = proven->at(worker)] { live(worker, programs, 0); });
    if (!twins) return;
    takes_over_ = true;
    clock_.sleep_until(clock_.now() + *twins);
    for (const WorkerId worker : spec_.plan.workers())
      threads_.emplace_back([this, worker, programs = proven->at(worker)] { live(worker, programs, 1000); });
  }

  void stop() { stop_.request_stop(); }

  Played join() {
    threads_.clear();
    for (int stage = 0; (takes_over_ || played_.errors.empty()) && stage < spec_.plan.stage_count(); ++stage)
      played_.trained.push_back(store_.get_text(trained_key(kPrefix, stage)).value().value());
    return std::move(played_);
  }

 private:
  // The earlier of two lives may wait for what is gone; it ends once all later ones have.
  void live(WorkerId worker, const std::string& programs, std::int64_t incarnation) {
    play(worker, programs, incarnation);
    if (incarnation == 0) return;
    const std::lock_guard lock(mutex_);
    if (++later_ended_ == static_cast<int>(spec_.plan.workers().size())) stop_.request_stop();
  }

  void play(WorkerId worker, const std::string& programs, std::int64_t incarnation) {
    WorkerInvocation invocation{spec_.id, "bucket", kPrefix, worker, incarnation, programs};
    int deaths = 0;
    while (true) {
      const std::uint64_t draw =
          mix(deaths_.seed, {static_cast<std::uint64_t>(spec_.plan.rank(worker)), static_cast<std::uint64_t>(deaths)});
      const std::int64_t last = deaths < deaths_.lives
                                    ? static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(deaths_.longest))
                                    : std::numeric_limits<std::int64_t>::max();
      MortalStore store(store_, last, draw >> 63 != 0);
      const auto answer = run_worker(spec_, invocation, store, clock_, clock_.now() + lifetime_, stop_.get_token());
      const std::lock_guard lock(mutex_);
      ++played_.invocations;
      if (!answer && store.is_dead()) {
        ++deaths, ++played_.deaths, ++invocation.incarnation;
        continue;
      }
      if (!answer) {
        played_.errors.push_back(answer.error());
        if (!takes_over_) stop_.request_stop();
        return;
      }
      if (answer->status == "done") return;
      ++invocation.incarnation;
    }
  }

  Store& store_;
  SystemClock clock_;
  const Seconds lifetime_;
  const Deaths deaths_;
  std::atomic<bool> takes_over_ = false;
  JobSpec spec_;
  std::stop_source stop_;
  std::mutex mutex_;  // guards `played_` while threads run
  Played played_;
  int later_ended_ = 0;
  std::vector<std::jthread> threads_;
};

Played play(const LinearJob& job, Store& store, Seconds lifetime = kForever, Deaths deaths = {}) {
  return Workers(job, store, lifetime, deaths).join();
}

Played undisturbed(const LinearJob& job) {
  MemoryStore store;
  Played played = play(job, store);
  EXPECT_TRUE(played.errors.empty()) << describe(played.errors.front());
  return played;
}

// Iterations of the objects that workers have exchanged and that are still there.
std::set<std::int64_t> iterations_left(Store& store, const std::string& prefix) {
  std::set<std::int64_t> iterations;
  const auto objects = store.list(prefix + "/i");
  EXPECT_TRUE(objects);
  for (const ListedObject& object : *objects) iterations.insert(std::stoll(object.key.substr(prefix.size() + 2)));
  return iterations;
}

class WorkerThreads : public ::testing::TestWithParam<LinearJob> {};

TEST_P(WorkerThreads, GiveTheSameBitsWhateverTheirPace) {
  const Played expected = undisturbed(GetParam());
  MemoryStore memory;
  FaultyStore shaken(memory, {.delay = 0.3, .longest_delay = 0.002, .quiet = true});
  const Played played = play(GetParam(), shaken);
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  EXPECT_EQ(played.trained, expected.trained);
}

TEST_P(WorkerThreads, HandOverToThoseThatFollow) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no deadline";
  MemoryStore store;
  const Played expected = undisturbed(GetParam()), played = play(GetParam(), store, 0.001);
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  EXPECT_GT(played.invocations, expected.invocations);
  EXPECT_EQ(played.trained, expected.trained);
}

// Whatever dies, and however often, the others wait, and nothing is computed twice with another result. The store does
// not fill up: of the iterations before everybody's last two snapshots nothing is left.
TEST_P(WorkerThreads, AreReplayedWhereverTheyDie) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no snapshots";
  LinearJob job = GetParam();
  job.steps = 20;
  const Played expected = undisturbed(job);
  for (const Deaths& deaths : {Deaths{1, 20, 1}, Deaths{1, 400, 2}, Deaths{4, 120, 3}, Deaths{8, 60, 4}}) {
    SCOPED_TRACE(deaths.seed);
    MemoryStore store;
    const Played played = play(job, store, kForever, deaths);
    ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
    if (job.replicas > 1) EXPECT_GT(played.deaths, 0);  // one worker alone may be done before
    EXPECT_EQ(played.trained, expected.trained);
    const auto left = iterations_left(store, kPrefix);
    if (!left.empty()) EXPECT_GE(*left.begin(), job.steps - 3 * 4) << "objects are kept for two intervals of 3";
  }
}

// Lives that end by themselves, by death and by both.
TEST_P(WorkerThreads, AreReplayedBetweenHandOvers) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no snapshots";
  MemoryStore store;
  const Played expected = undisturbed(GetParam()), played = play(GetParam(), store, 0.001, {3, 40, 5});
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  if (GetParam().replicas > 1) EXPECT_GT(played.deaths, 0);  // one worker alone may be done before
  EXPECT_EQ(played.trained, expected.trained);
}

// The newest snapshot is damaged, of everybody: the one before it is taken.
// Two lives of every worker at once: the first is only believed lost. Whichever comes to the end, the weights are the
// same, and the earlier one has done no harm.
TEST_P(WorkerThreads, ALaterLifeTakesOverFromOneThatStillRuns) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no snapshots";
  LinearJob job = GetParam();
  job.steps = 30;
  const Played expected = undisturbed(job);
  for (const Seconds after : {0.0, 0.01, 0.05}) {
    SCOPED_TRACE(after);
    MemoryStore memory;
    FaultyStore slow(memory, {.delay = 0.3, .longest_delay = 0.004, .quiet = true});
    const Played played = Workers(job, slow, kForever, {}, after).join();
    for (const Error& error : played.errors) EXPECT_EQ(error.code, ErrorCode::cancelled) << describe(error);
    EXPECT_EQ(played.trained, expected.trained);
  }
}

TEST_P(WorkerThreads, PassOverADamagedSnapshot) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no snapshots";
  LinearJob job = GetParam();
  job.steps = 12;
  MemoryStore store;
  const Played expected = undisturbed(job);
  ASSERT_TRUE(play(job, store).errors.empty());
  std::map<std::string, std::string> newest;  // by worker
  const auto snapshots = store.list(std::string(kPrefix) + "/snapshot/");
  ASSERT_TRUE(snapshots);
  for (const ListedObject& object : *snapshots) newest[object.key.substr(0, object.key.rfind('/'))] = object.key;
  for (const auto& [worker, key] : newest) {
    std::string bytes = store.get_text(key).value().value();
    bytes[bytes.size() / 2] ^= 1;
    ASSERT_TRUE(store.put(key, bytes));
  }
  for (int stage = 0; stage < job.stages; ++stage) {
    const std::string key = trained_key(kPrefix, stage);
    ASSERT_TRUE(store.remove(std::span(&key, 1)));
  }
  // Lives that are killed at once, so those that follow begin from what is in the store.
  const Played played = play(job, store, kForever, {1, 1, 6});
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  EXPECT_EQ(played.trained, expected.trained);
}

TEST_P(WorkerThreads, EndWhereverTheyAreStopped) {
  LinearJob job = GetParam();
  job.steps = 1'000'000;
  SystemClock clock;
  for (const Seconds after : {0.0, 0.005, 0.02, 0.05}) {
    SCOPED_TRACE(after);
    MemoryStore store;
    Workers workers(job, store, kForever);
    clock.sleep_until(clock.now() + after);
    workers.stop();
    const Played played = workers.join();
    EXPECT_EQ(std::ssize(played.errors), played.invocations) << "nobody was done";
    for (const Error& error : played.errors) EXPECT_EQ(error.code, ErrorCode::cancelled) << describe(error);
  }
}

INSTANTIATE_TEST_SUITE_P(
    , WorkerThreads,
    ::testing::Values(LinearJob{.stages = 1, .replicas = 1},
                      LinearJob{.stages = 1, .replicas = 4, .micro_batches = 8, .steps = 12},
                      LinearJob{.stages = 3, .replicas = 2, .order = PipelineOrder::one_forward_one_backward},
                      LinearJob{.stages = 2, .replicas = 3, .sync = SyncAlgorithm::three_phase},
                      LinearJob{.stages = 1, .replicas = 4, .sync = SyncAlgorithm("two-level"), .micro_batches = 8},
                      LinearJob{.stages = 1, .replicas = 3, .sync = SyncAlgorithm::parameter_server}));

// Several threads of one worker wait for long, some in vain: they keep one note between them.
TEST(Exchange, TellsOfLongWaitsFromAnyThread) {
  constexpr int kThreads = 8;
  constexpr double kDilation = 0.005;  // a long wait, of 20 s, is over in 0.1 s, one to the limit in 0.2 s
  MemoryStore store;
  SystemClock system;
  DilatedClock clock(system, kDilation);
  const WorkerId worker{1, 0};
  Exchange exchange(store, clock, kPrefix, worker, 40);
  const auto name = [](int thread) { return ObjectName{ObjectKind::activation, 0, 0, thread}; };
  std::vector<Result<std::vector<at::Tensor>>> received(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        received[static_cast<std::size_t>(t)] =
            exchange.receive({.kind = OpKind::receive_activation, .object = name(t)}, t, 0, {});
      });
    clock.sleep_until(clock.now() + 30);
    EXPECT_TRUE(store.get_text(waiting_key(kPrefix, worker)).value());
    for (int t = 0; t < kThreads; t += 2) ASSERT_TRUE(exchange.send(0, name(t), {}));
  }
  for (int t = 0; t < kThreads; ++t) {
    SCOPED_TRACE(t);
    const auto& result = received[static_cast<std::size_t>(t)];
    ASSERT_EQ(result.has_value(), t % 2 == 0);
    if (result) continue;
    EXPECT_EQ(result.error().code, ErrorCode::timeout);
  }
  const auto note = store.get_text(waiting_key(kPrefix, worker)).value();
  ASSERT_TRUE(note);
  EXPECT_THAT(*note, ::testing::HasSubstr("\"gave_up\":true"));
}

}  // namespace
}  // namespace funcpipe::testing
