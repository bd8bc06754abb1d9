// Workers with all their threads at once, for ThreadSanitizer to watch: exchange, stage executor, sample source,
// reporter and parameter server. Only the model is made by hand.
//
// libtorch's own code is not instrumented, so races inside it are not seen; ours, which hands tensors from thread to
// thread, is, libtorch's headers in it too.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "linear_stages.h"
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
};

// Every worker on a thread of its own beside those of its lanes, invoked again while it answers "continue".
class Workers {
 public:
  Workers(const LinearJob& job, Store& store, Seconds lifetime) : store_(store), lifetime_(lifetime) {
    auto spec = publish_job(job, store, kPrefix);
    EXPECT_TRUE(spec) << describe(spec.error());
    spec_ = std::move(*spec);
    const auto proven = prove_programs(spec_);
    EXPECT_TRUE(proven) << describe(proven.error());
    for (const WorkerId worker : spec_.plan.workers())
      threads_.emplace_back([this, worker, programs = proven->at(worker)] { live(worker, programs); });
  }

  void stop() { stop_.request_stop(); }

  Played join() {
    threads_.clear();
    for (int stage = 0; played_.errors.empty() && stage < spec_.plan.stage_count(); ++stage)
      played_.trained.push_back(store_.get_text(trained_key(kPrefix, stage)).value().value());
    return std::move(played_);
  }

 private:
  void live(WorkerId worker, const std::string& programs) {
    WorkerInvocation invocation{spec_.id, "bucket", kPrefix, worker, 0, programs};
    while (true) {
      const auto answer = run_worker(spec_, invocation, store_, clock_, clock_.now() + lifetime_, stop_.get_token());
      const std::lock_guard lock(mutex_);
      ++played_.invocations;
      if (!answer) {
        played_.errors.push_back(answer.error());
        stop_.request_stop();
        return;
      }
      if (answer->status == "done") return;
      invocation.first_iteration = answer->next_iteration;
    }
  }

  Store& store_;
  SystemClock clock_;
  const Seconds lifetime_;
  JobSpec spec_;
  std::stop_source stop_;
  std::mutex mutex_;  // guards `played_` while threads run
  Played played_;
  std::vector<std::jthread> threads_;
};

Played play(const LinearJob& job, Store& store, Seconds lifetime = kForever) {
  return Workers(job, store, lifetime).join();
}

class WorkerThreads : public ::testing::TestWithParam<LinearJob> {};

TEST_P(WorkerThreads, GiveTheSameBitsWhateverTheirPace) {
  MemoryStore calm;
  const Played expected = play(GetParam(), calm);
  ASSERT_TRUE(expected.errors.empty()) << describe(expected.errors.front());
  MemoryStore memory;
  FaultyStore shaken(memory, {.delay = 0.3, .longest_delay = 0.002, .quiet = true});
  const Played played = play(GetParam(), shaken);
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  EXPECT_EQ(played.trained, expected.trained);
}

TEST_P(WorkerThreads, HandOverToThoseThatFollow) {
  if (GetParam().sync == SyncAlgorithm::parameter_server) GTEST_SKIP() << "a parameter server has no deadline";
  MemoryStore calm, store;
  const Played expected = play(GetParam(), calm), played = play(GetParam(), store, 0.001);
  ASSERT_TRUE(played.errors.empty()) << describe(played.errors.front());
  EXPECT_GT(played.invocations, expected.invocations);
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
