// Whole jobs over a store in memory: every worker plays its program on real lanes, only the computation is a stub.
#include "worker/player.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <thread>

#include "schedule/checker.h"
#include "schedule/shapes.h"
#include "store/faulty_store.h"
#include "store/memory_store.h"
#include "worker/stub_worker.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using testing::Numbers;
using testing::plan_of;
using testing::programs_of;
using testing::shapes_of;
using testing::StubModel;
using testing::StubWorker;
using testing::tie;

constexpr std::int64_t kIterations = 3;

struct Job {
  Plan plan;
  std::vector<StageShape> shapes;
  StubModel model;
  LaneWidths widths{.download = 3, .upload = 2};
};

// Weights and summed gradients by rank.
struct Outcome {
  std::vector<std::vector<float>> weights;
  std::vector<std::vector<std::vector<float>>> sums;
};

Outcome play_job(const Job& job, Store& store, testing::Writer writer = training_program,
                 std::int64_t iterations = kIterations) {
  SystemClock clock;
  const std::vector<Program> programs = programs_of(job.plan, job.shapes, writer);
  const Result<> sound = check_programs(programs);
  EXPECT_TRUE(sound) << describe(sound.error());
  if (!sound) return {};
  std::vector<std::unique_ptr<StubWorker>> workers;
  for (const Program& program : programs) {
    const int stage = std::max(program.worker.stage, 0);  // a parameter server's buffer is as large as the only stage's
    workers.push_back(std::make_unique<StubWorker>(job.shapes[stage], program, store, clock, job.model));
  }
  {
    std::vector<std::jthread> threads;
    for (std::size_t w = 0; w < workers.size(); ++w) {
      threads.emplace_back([&, w] {
        const Result<> played = play(programs[w], 0, iterations, *workers[w], job.widths, clock);
        EXPECT_TRUE(played) << describe(played.error());
      });
    }
  }
  Outcome outcome;
  for (const auto& worker : workers) {
    outcome.weights.push_back(worker->weights);
    outcome.sums.push_back(worker->sums);
  }
  return outcome;
}

Outcome play_job(const Job& job) {
  MemoryStore store;
  Outcome outcome = play_job(job, store);
  const auto left = store.list("");
  EXPECT_TRUE(left);
  const std::string last = object_key("job", kIterations - 1, {}).substr(0, std::string("job/i00000000/").size());
  for (const ListedObject& object : *left) EXPECT_EQ(object.key.substr(0, last.size()), last) << object.key;
  return outcome;
}

// The sum over all micro-batches and, where tied, over all stages that use the element.
std::vector<float> expected_sum(const Job& job, int stage, std::int64_t iteration) {
  const auto own = [&](int k, std::int64_t i) {
    float sum = 0;
    for (int m = 0; m < job.plan.micro_batch_count(); ++m) sum += job.model.share(k, m, iteration, i);
    return sum;
  };
  std::vector<float> sums(job.shapes[stage].gradient_elements);
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = own(stage, static_cast<std::int64_t>(i));
  for (const StageShape::Tied& tied : job.shapes[stage].tied) {
    for (const int k : tied.stages) {
      if (k == stage) continue;
      for (const StageShape::Tied& other : job.shapes[k].tied) {
        if (other.parameter != tied.parameter) continue;
        for (std::int64_t i = 0; i < tied.slice.elements; ++i) {
          sums[tied.slice.first + i] += own(k, other.slice.first + i);
        }
      }
    }
  }
  return sums;
}

void expect_exact_sums(const Job& job, const Outcome& outcome) {
  for (int k = 0; k < job.plan.stage_count(); ++k) {
    for (int r = 0; r < job.plan.replicas; ++r) {
      const auto& sums = outcome.sums.at(job.plan.rank({k, r}));
      ASSERT_EQ(sums.size(), static_cast<std::size_t>(kIterations));
      for (std::int64_t t = 0; t < kIterations; ++t) {
        EXPECT_EQ(sums[t], expected_sum(job, k, t)) << to_string(WorkerId{k, r}) << ", iteration " << t;
      }
    }
  }
}

// The research code's all-reduce gave 1110, 1101, 1011 and 111: nobody's own share was in its sum.
TEST(AllReduce, FourRanksGetTheSumOfAll) {
  class Rank final : public Executor {
   public:
    Rank(Executor& rest, StubWorker& worker, float share) : rest_(rest), worker_(worker), share_(share) {}
    Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override {
      if (op.kind != OpKind::backward) return rest_.run(op, index, iteration, stop);
      for (float& value : worker_.gradient) value += share_;
      return {};
    }

   private:
    Executor& rest_;
    StubWorker& worker_;
    float share_;
  };
  for (const SyncAlgorithm sync : {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase}) {
    const Plan plan = plan_of(1, 4, 4, sync);
    const auto shapes = shapes_of(1, 10);
    const auto programs = programs_of(plan, shapes);
    MemoryStore store;
    SystemClock clock;
    std::vector<std::unique_ptr<StubWorker>> workers;
    for (const Program& program : programs) {
      workers.push_back(std::make_unique<StubWorker>(shapes[0], program, store, clock, StubModel{}));
    }
    {
      std::vector<std::jthread> threads;
      for (int r = 0; r < 4; ++r) {
        threads.emplace_back([&, r] {
          constexpr float kShares[] = {1, 10, 100, 1000};
          Rank rank(*workers[r], *workers[r], kShares[r]);
          EXPECT_TRUE(play(programs[r], 0, 1, rank, {}, clock));
        });
      }
    }
    for (const auto& worker : workers) EXPECT_EQ(worker->sums.at(0), std::vector<float>(10, 1111.0f));
  }
}

TEST(AllReduce, SumsAnySizeOverAnyNumberOfReplicas) {
  for (const SyncAlgorithm sync :
       {SyncAlgorithm::pipelined, SyncAlgorithm::three_phase, SyncAlgorithm::parameter_server}) {
    for (const int replicas : {1, 2, 3, 5, 8}) {
      for (const std::int64_t elements : {0, 1, 7, 1000}) {
        SCOPED_TRACE(fmt::format("{}, {} replicas, {} elements", to_string(sync), replicas, elements));
        const Job job{.plan = plan_of(1, replicas, replicas + 2, sync), .shapes = shapes_of(1, elements)};
        expect_exact_sums(job, play_job(job));
      }
    }
  }
}

TEST(Tied, AreEqualOnAllStages) {
  for (const int replicas : {1, 2}) {
    Job job{.plan = plan_of(4, replicas, 3), .shapes = shapes_of(4, 20)};
    tie(job.shapes, 0, {0, 3}, {0, 5});
    tie(job.shapes, 1, {0, 1, 2, 3}, {5, 9});
    expect_exact_sums(job, play_job(job));
    job.model.numbers = Numbers::fractional;  // the same bits too where the order of a sum matters
    const Outcome outcome = play_job(job);
    const auto part = [&](int stage, int replica, int first, int size) {
      const auto& weights = outcome.weights.at(job.plan.rank({stage, replica}));
      return std::vector<float>(weights.begin() + first, weights.begin() + first + size);
    };
    for (int r = 0; r < replicas; ++r) {
      EXPECT_EQ(part(0, r, 0, 5), part(3, 0, 0, 5));
      for (int k = 1; k < 4; ++k) EXPECT_EQ(part(0, r, 5, 9), part(k, r, 5, 9));
    }
  }
}

Job random_job(std::uint64_t seed) {
  auto draw = [&, n = std::uint64_t{0}](int least, int most) mutable {
    return least + static_cast<int>(mix(seed, {++n}) % static_cast<std::uint64_t>(most - least + 1));
  };
  const int stages = draw(1, 5), replicas = draw(1, 5);
  Job job{.plan = plan_of(stages, replicas, replicas + draw(0, 5),
                          draw(0, 1) ? SyncAlgorithm::pipelined : SyncAlgorithm::three_phase, 3)};
  job.plan.global_batch -= draw(0, 2);  // the last micro-batch may be smaller
  constexpr std::int64_t kSizes[] = {0, 1, 7, 50, 1000};
  const int tied_elements = draw(0, 4);
  for (int k = 0; k < stages; ++k) {
    job.shapes.push_back({.gradient_elements = kSizes[draw(0, 4)] + tied_elements, .has_buffers = draw(0, 1) == 1});
  }
  std::vector<int> users;
  for (int k = 0; k < stages; ++k) {
    if (draw(0, 1) == 1) users.push_back(k);
  }
  if (users.size() > 1) tie(job.shapes, 7, users, {0, tied_elements});
  job.widths = {.download = draw(1, 4), .upload = draw(1, 4)};
  job.model.seed = seed;
  return job;
}

TEST(Play, RandomPlansComputeExactSums) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const Job job = random_job(seed);
    expect_exact_sums(job, play_job(job));
  }
}

TEST(Play, DelaysChangeNoBit) {
  for (std::uint64_t seed = 100; seed < 106; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Job job = random_job(seed);
    job.model.numbers = Numbers::fractional;
    const Outcome calm = play_job(job);
    for (std::uint64_t shake = 0; shake < 2; ++shake) {
      MemoryStore memory;
      FaultyStore store(memory, {.seed = shake, .delay = 0.5, .longest_delay = 0.004, .quiet = true});
      const Outcome shaken = play_job(job, store);
      EXPECT_EQ(shaken.weights, calm.weights);
    }
    for (int k = 0; k < job.plan.stage_count(); ++k) {
      for (int r = 1; r < job.plan.replicas; ++r) {
        EXPECT_EQ(calm.weights[job.plan.rank({k, r})], calm.weights[job.plan.rank({k, 0})]) << "replicas stay equal";
      }
    }
  }
}

TEST(Play, EvaluationLeavesTheStoreEmpty) {
  for (std::uint64_t seed = 200; seed < 206; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Job job = random_job(seed);
    job.plan.global_batch = seed % 2 == 0 ? 1 : 70;  // an empty share; more than the workers run ahead
    job.plan.micro_batch = 1;
    MemoryStore store;
    play_job(job, store, evaluation_program, 1);
    EXPECT_TRUE(store.list("")->empty());
  }
}

// A program of loose operations, to look at the player alone.
class Recorder final : public Executor {
 public:
  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override {
    if (on_run) return on_run(op, index, iteration, stop);
    return {};
  }
  std::function<Result<>(const Op&, int, std::int64_t, std::stop_token)> on_run;
};

Program loose(const std::vector<Op>& ops) {
  Program program;
  for (const Op& op : ops) {
    program.lanes[static_cast<int>(lane_of(op.kind))].push_back(static_cast<int>(program.ops.size()));
    program.ops.push_back(op);
  }
  return program;
}

TEST(Play, ObservesOperationsInOrderOfTheirDependencies) {
  const Program program = loose({{.kind = OpKind::load},
                                 {.kind = OpKind::forward, .after = {{0, 0}, {2, 1}}},
                                 {.kind = OpKind::update, .after = {{1, 0}}},
                                 {.kind = OpKind::report, .after = {{2, 0}}}});
  Recorder recorder;
  SystemClock clock;
  std::map<std::pair<std::int64_t, int>, OpEvent> events;
  const auto observe = [&](const OpEvent& event) {
    EXPECT_TRUE(events.emplace(std::pair(event.iteration, event.op), event).second) << "once each";
  };
  ASSERT_TRUE(play(program, 5, 105, recorder, {}, clock, {}, observe));
  ASSERT_EQ(events.size(), 400u);
  for (const auto& [key, event] : events) {
    EXPECT_LE(event.ready, event.start);
    EXPECT_LE(event.start, event.end);
    for (const Dependency& on : program.ops[event.op].after) {
      const auto earlier = events.find({event.iteration - on.iterations_back, on.op});
      if (earlier == events.end()) continue;
      EXPECT_LE(earlier->second.end, event.start);
      EXPECT_LE(earlier->second.end, event.ready);
    }
  }
}

TEST(Play, KeepsSeveralTransfersOfALaneInFlightButComputesOneAtATime) {
  const Program program = loose({{.kind = OpKind::fetch},
                                 {.kind = OpKind::fetch},
                                 {.kind = OpKind::fetch},
                                 {.kind = OpKind::forward},
                                 {.kind = OpKind::forward}});
  Recorder recorder;
  SystemClock clock;
  std::mutex mutex;
  std::condition_variable all_here;
  int fetching = 0, computing = 0, most_computing = 0;
  recorder.on_run = [&](const Op& op, int, std::int64_t, std::stop_token) -> Result<> {
    std::unique_lock lock(mutex);
    if (op.kind == OpKind::forward) {
      most_computing = std::max(most_computing, ++computing);
      lock.unlock();
      std::this_thread::yield();
      lock.lock();
      --computing;
      return {};
    }
    ++fetching;
    all_here.notify_all();
    if (!all_here.wait_for(lock, std::chrono::seconds(30), [&] { return fetching == 3; })) {
      return fail(ErrorCode::timeout, "the fetches did not run side by side");
    }
    return {};
  };
  const Result<> played = play(program, 0, 1, recorder, {.download = 3, .upload = 1}, clock);
  EXPECT_TRUE(played) << describe(played.error());
  EXPECT_EQ(most_computing, 1);
}

TEST(Play, NoOperationIsTwoIterationsAhead) {
  // Nothing holds the loads back but the player: the compute lane is stuck in iteration 0 until they stop coming.
  const Program program = loose({{.kind = OpKind::load}, {.kind = OpKind::forward}});
  Recorder recorder;
  SystemClock clock;
  std::atomic<std::int64_t> loads = 0, forwards = 0;
  recorder.on_run = [&](const Op& op, int, std::int64_t iteration, std::stop_token) -> Result<> {
    if (op.kind == OpKind::load) {
      EXPECT_LE(iteration, forwards.load() + 1);
      ++loads;
    } else {
      if (iteration == 0) clock.sleep_until(clock.now() + 0.05);
      ++forwards;
    }
    return {};
  };
  ASSERT_TRUE(play(program, 0, 20, recorder, {}, clock));
  EXPECT_EQ(loads, 20);
}

TEST(Play, TheFirstErrorStopsEveryLane) {
  const Program program = loose({{.kind = OpKind::fetch},
                                 {.kind = OpKind::forward},
                                 {.kind = OpKind::publish},
                                 {.kind = OpKind::backward, .after = {{0, 0}}}});
  Recorder recorder;
  SystemClock clock;
  recorder.on_run = [&](const Op& op, int, std::int64_t iteration, std::stop_token stop) -> Result<> {
    if (op.kind == OpKind::publish && iteration == 0) return fail(ErrorCode::exhausted, "no room");
    if (op.kind == OpKind::fetch) {  // would take an hour
      if (!clock.sleep_until(clock.now() + 3600, stop)) return fail(ErrorCode::cancelled, "stopped");
    }
    return {};
  };
  const Result<> played = play(program, 0, 10, recorder, {}, clock);
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().code, ErrorCode::exhausted);
  EXPECT_EQ(played.error().message, "no room");
  EXPECT_THAT(played.error().place, HasSubstr("stage 0 replica 0, iteration 0, publish"));
}

TEST(Play, AnExceptionIsAnError) {
  const Program program = loose({{.kind = OpKind::forward}});
  Recorder recorder;
  SystemClock clock;
  recorder.on_run = [](const Op&, int, std::int64_t, std::stop_token) -> Result<> {
    throw std::runtime_error("shape");
  };
  const Result<> played = play(program, 0, 1, recorder, {}, clock);
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().message, "shape");
}

TEST(Play, AStopFromOutsideCancels) {
  const Program program = loose({{.kind = OpKind::fetch}, {.kind = OpKind::forward, .after = {{0, 0}}}});
  Recorder recorder;
  SystemClock clock;
  std::stop_source stop;
  recorder.on_run = [&](const Op&, int, std::int64_t, std::stop_token token) -> Result<> {
    stop.request_stop();
    if (!clock.sleep_until(clock.now() + 3600, token)) return fail(ErrorCode::cancelled, "stopped");
    return {};
  };
  const Result<> played = play(program, 0, 3, recorder, {}, clock, stop.get_token());
  ASSERT_FALSE(played);
  EXPECT_EQ(played.error().code, ErrorCode::cancelled);
}

TEST(Play, NothingToPlayIsDone) {
  Recorder recorder;
  SystemClock clock;
  EXPECT_TRUE(play(loose({}), 0, 10, recorder, {}, clock));
  EXPECT_TRUE(play(loose({{.kind = OpKind::forward}}), 4, 4, recorder, {}, clock));
}

}  // namespace
}  // namespace funcpipe
