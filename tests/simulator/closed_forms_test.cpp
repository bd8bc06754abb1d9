// Where there is a formula, the simulator gives its figure. Workers are told of objects here (Waiting::notified): no
// formula knows of polling.
#include <algorithm>
#include <numeric>
#include <random>

#include "schedule/sync/parameter_server.h"
#include "schedule/sync/shards.h"
#include "simulator/made_fleet.h"

namespace funcpipe {
namespace {

using testing::MadeJob;
using testing::StageFigures;

constexpr double kExact = 1e-9;

TEST(ClosedForms, EqualStagesAndFreeTransfers) {
  for (const int stages : {1, 2, 3, 7})
    for (const int micro_batches : {1, 2, 5, 16}) {
      const MadeJob job(stages, 1, micro_batches, {.forward = 0.3, .backward = 0.7});
      EXPECT_NEAR(job.first_iteration(), (micro_batches + stages - 1) * (0.3 + 0.7), kExact)
          << stages << " stages, " << micro_batches << " micro-batches";
    }
}

// A job of unequal stages, one request of a lane at a time.
MadeJob random_job(std::mt19937& random, int stages, int micro_batches) {
  // No forward is shorter than a request: a release's DELETE is over before an activation wants the upload lane.
  std::uniform_real_distribution<double> seconds(0.1, 1), bytes(1e6, 60e6);
  MadeJob job(stages, 1, micro_batches);
  for (StageFigures& stage : job.stages)
    stage = {.forward = seconds(random),
             .backward = seconds(random),
             .update = seconds(random),
             .border = bytes(random),
             .border_gradient = bytes(random)};
  job.up = 50e6 + bytes(random);
  job.down = 50e6 + bytes(random);
  job.latency(0.1 * seconds(random), 0.1 * seconds(random));
  job.connections(1);
  return job;
}

// Seconds of the lane tasks of one micro-batch, in the order it passes them.
struct Tasks {
  std::vector<Seconds> forward, backward;
};
Tasks tasks_between(const MadeJob& job, std::size_t first, std::size_t end, Seconds put, Seconds get) {
  Tasks tasks;
  for (std::size_t k = first; k < end; ++k) {
    tasks.forward.push_back(job.stages[k].forward);
    tasks.backward.push_back(job.stages[k].backward);
    if (k + 1 == end) break;
    for (const double seconds : {put + job.stages[k].border / job.up, get + job.stages[k].border / job.down})
      tasks.forward.push_back(seconds);
    for (const double seconds :
         {put + job.stages[k].border_gradient / job.up, get + job.stages[k].border_gradient / job.down})
      tasks.backward.push_back(seconds);
  }
  return tasks;
}
Seconds makespan(const std::vector<Seconds>& tasks, int micro_batches) {
  return std::accumulate(tasks.begin(), tasks.end(), 0.0) +
         (micro_batches - 1) * *std::max_element(tasks.begin(), tasks.end());
}

TEST(ClosedForms, MakespanOfUnequalStagesLosesNoBubble) {
  std::mt19937 random(7);
  for (int trial = 0; trial < 40; ++trial) {
    const int stages = 1 + trial % 5, micro_batches = 1 + trial % 7;
    const MadeJob job = random_job(random, stages, micro_batches);
    const Seconds put = job.options.store.put.quantile(0.5), get = job.options.store.get.quantile(0.5);
    const auto last = static_cast<std::size_t>(stages);
    const Seconds forward = makespan(tasks_between(job, 0, last, put, get).forward, micro_batches);
    Seconds expected = 0;
    for (std::size_t k = 0; k < last; ++k)
      expected = std::max(expected, forward + makespan(tasks_between(job, k, last, put, get).backward, micro_batches) +
                                        job.stages[k].update);
    EXPECT_NEAR(job.first_iteration(), expected, kExact) << "trial " << trial;
  }
}

// docs/algorithms.md, "Predicting an iteration": the longest way around.
TEST(ClosedForms, PeriodOfTheSteadyState) {
  std::mt19937 random(11);
  for (int trial = 0; trial < 40; ++trial) {
    const int stages = 1 + trial % 5, micro_batches = 1 + trial % 7;
    MadeJob job = random_job(random, stages, micro_batches);
    job.options.iterations = 6;
    const Seconds put = job.options.store.put.quantile(0.5), get = job.options.store.get.quantile(0.5);
    const auto last = static_cast<std::size_t>(stages);
    Seconds period = 0;
    for (std::size_t k = 0; k < last; ++k) {
      const Tasks tasks = tasks_between(job, k, last, put, get);
      period = std::max(period, makespan(tasks.forward, micro_batches) + makespan(tasks.backward, micro_batches) +
                                    job.stages[k].update);
    }
    const SimulationResult result = job.run();
    ASSERT_EQ(result.iterations.size(), 6u);
    EXPECT_NEAR(result.seconds_of(5), period, kExact) << "trial " << trial;
  }
}

// n workers of one stage synchronise 80 MB at 50 MB/s each way.
struct Synchronisation {
  SyncAlgorithm algorithm = SyncAlgorithm::pipelined;
  int n = 2;
  Seconds latency = 0;
  int downloads = 1, uploads = 1;
  double rate = 50e6;
  double cap = testing::kNoLimit;  // of all together, each way

  // Shards of equal size, whatever n, a parameter server's too.
  std::int64_t elements() const { return 20'000'000 / (kServerShards * n) * (kServerShards * n); }
  double size() const { return static_cast<double>(elements()) * 4; }
  double shard_seconds() const { return size() / n / rate; }
  Seconds measured() const {
    MadeJob job(1, n, n, {.forward = 1, .backward = 2}, elements(), algorithm);
    job.up = job.down = rate;
    job.options.store.most_up = job.options.store.most_down = cap;
    job.latency(latency, latency);
    job.options.download_connections = downloads;
    job.options.upload_connections = uploads;
    return job.first_iteration() - 3;
  }
};

TEST(ClosedForms, ThreePhaseScatterReduce) {
  for (const int n : {2, 3, 4, 8, 16})
    for (const Seconds t : {0.0, 0.03}) {
      const Synchronisation sync{SyncAlgorithm::three_phase, n, t, n, n};
      const double s = sync.size(), w = sync.rate;
      // Parts come in waves of as many as are staged at once; their latencies add up.
      const int staged = most_staged_parts(sync.elements(), n), waves = (n - 1 + staged - 1) / staged;
      EXPECT_NEAR(sync.measured(), 3 * s / w - 2 * s / (n * w) + (3 + waves) * t, kExact)
          << n << " workers, " << t << " s";
    }
}

// FuncPipe's formula has parts leave one after the other, and counts the latency of the merged shards once: they come
// side by side.
TEST(ClosedForms, PipelinedScatterReduce) {
  for (const int n : {2, 3, 4, 8, 16})
    for (const Seconds t : {0.0, 0.03}) {
      const Synchronisation sync{SyncAlgorithm::pipelined, n, t, n, 1};
      EXPECT_NEAR(sync.measured(), 2 * sync.size() / sync.rate + (2 + n) * t, kExact) << n << " workers, " << t << " s";
    }
}

// One request at a time: n-1 merged shards come one after the other, with a latency each.
TEST(ClosedForms, PipelinedScatterReduceWithOneRequestAtATime) {
  for (const int n : {2, 3, 4, 8, 16})
    for (const Seconds t : {0.0, 0.03}) {
      const Synchronisation sync{SyncAlgorithm::pipelined, n, t, 1, 1};
      EXPECT_NEAR(sync.measured(), 2 * sync.size() / sync.rate + 2 * n * t, kExact) << n << " workers, " << t << " s";
    }
}

// Two parts go up side by side (sync/shards.cpp), so the first arrives when the second does: a shard later.
TEST(ClosedForms, PipelinedScatterReduceAsPlayed) {
  for (const int n : {3, 4, 8, 16}) {
    const Synchronisation sync{SyncAlgorithm::pipelined, n, 0, 4, 4};
    EXPECT_NEAR(sync.measured(), 2 * sync.size() / sync.rate + sync.shard_seconds(), kExact) << n << " workers";
  }
}

// Functions push all of their gradient, then pull the sum; the server's own requests take no time. Its link is as wide
// as three of theirs.
TEST(ClosedForms, ParameterServer) {
  for (const int n : {1, 2, 3, 4, 8, 16})
    for (const Seconds t : {0.0, 0.03})
      for (const int connections : {1, 2, 4, kServerShards}) {
        Synchronisation sync{SyncAlgorithm::parameter_server, n, t, connections, connections};
        sync.cap = 3 * sync.rate;
        const double s = sync.size(), slowest = std::max(s / sync.rate, n * s / sync.cap);
        EXPECT_NEAR(sync.measured(), 2 * slowest + 2 * t * kServerShards / connections, kExact)
            << n << " functions, " << t << " s, " << connections << " at a time";
      }
}

// Two levels are two scatter-reduces, one after the other, and back: with large shards and one request at a time each
// takes what FuncPipe's formula says, but that the way back has its latencies one by one.
TEST(ClosedForms, TwoLevelScatterReduce) {
  for (const auto& [n, a, b] : {std::array{4, 2, 2}, std::array{6, 2, 3}, std::array{16, 4, 4}})
    for (const Seconds t : {0.0, 0.03}) {
      const Synchronisation sync{SyncAlgorithm("two-level"), n, t, 1, 1};
      const double s = sync.size(), w = sync.rate;
      const double rows = 2 * s / w + 2 * b * t, columns = 2 * s / b / w + 2 * a * t;
      EXPECT_NEAR(sync.measured(), rows + columns, kExact) << n << " workers, " << t << " s";
    }
}

TEST(ClosedForms, TheDownloadBoundIsNeverBeaten) {
  const std::vector<SyncAlgorithm> algorithms = testing::algorithms_of_functions();
  std::mt19937 random(3);
  for (int trial = 0; trial < 200; ++trial) {
    const auto drawn = [&](double least, double most) {
      return std::uniform_real_distribution<double>(least, most)(random);
    };
    Synchronisation sync{.algorithm = algorithms[static_cast<std::size_t>(trial) % algorithms.size()],
                         .n = 2 + trial % 9,
                         .latency = drawn(0, 0.05),
                         .downloads = 1 + trial % 5,
                         .uploads = 1 + trial % 3,
                         .rate = drawn(10e6, 500e6)};
    const double n = sync.n, bound = 2 * (1 - 1 / n) * sync.size() / sync.rate;
    EXPECT_GE(sync.measured(), bound * (1 - 1e-12)) << "trial " << trial;
  }
}

}  // namespace
}  // namespace funcpipe
