// What the simulator does where there is no formula: polling, faults, lifetimes, the store's limits, the bill.
#include "simulator/simulation.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "simulator/made_fleet.h"

namespace funcpipe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::MadeJob;

// Three stages of two replicas as a real job has them: polled for, on links and a store like AWS's.
MadeJob ordinary_job(std::int64_t iterations = 6) {
  MadeJob job(3, 2, 8, {.forward = 0.05, .backward = 0.1, .update = 0.02, .border = 2e6, .border_gradient = 2e6},
              2'000'000);
  job.up = job.down = 75e6;
  job.latency(0.055, 0.027);
  job.cold_start = 0.5;
  job.stage_bytes = 8e6;
  job.snapshot_bytes = 16e6;
  job.first_data_bytes = 1e6;
  job.stores_stage = true;
  job.options.waiting = Waiting::polling;
  job.options.iterations = iterations;
  return job;
}

struct Seen {
  int worker;
  OpEvent event;
  bool operator==(const Seen&) const = default;
};
std::vector<Seen> events_of(const MadeJob& job) {
  std::vector<Seen> seen;
  (void)job.run([&](int worker, const OpEvent& event) { seen.push_back({worker, event}); });
  return seen;
}

TEST(Simulation, IsTheSameToTheBit) {
  MadeJob job = ordinary_job();
  job.options.store.put = LatencyDistribution(0.055, 0.21);
  job.options.store.get = LatencyDistribution(0.027, 0.105);
  const std::vector<Seen> once = events_of(job);
  EXPECT_TRUE(once == events_of(job));
  job.options.seed = 2;
  EXPECT_FALSE(once == events_of(job)) << "another seed draws other latencies";
}

TEST(Simulation, PlaysEveryOperationOnceInOrder) {
  const MadeJob job = ordinary_job();
  const std::vector<Program> programs = job.programs();
  std::map<std::tuple<int, std::int64_t, int>, OpEvent> played;
  for (const auto& [worker, event] : events_of(job)) {
    EXPECT_LE(event.ready, event.start);
    EXPECT_LE(event.start, event.end);
    EXPECT_TRUE(played.emplace(std::tuple(worker, event.iteration, event.op), event).second);
  }
  std::size_t operations = 0;
  for (std::size_t w = 0; w < programs.size(); ++w) {
    operations += programs[w].ops.size() * static_cast<std::size_t>(job.options.iterations);
    for (std::int64_t t = 0; t < job.options.iterations; ++t)
      for (int i = 0; i < std::ssize(programs[w].ops); ++i) {
        const OpEvent& event = played.at({static_cast<int>(w), t, i});
        for (const Dependency& dependency : programs[w].ops[static_cast<std::size_t>(i)].after) {
          if (t < dependency.iterations_back) continue;
          EXPECT_LE(played.at({static_cast<int>(w), t - dependency.iterations_back, dependency.op}).end, event.start);
        }
      }
  }
  EXPECT_EQ(played.size(), operations);
}

TEST(Simulation, PollingCostsAtMostAFewRequestsPerObject) {
  MadeJob job = ordinary_job(40);
  const SimulationResult polled = job.run();
  job.options.waiting = Waiting::notified;
  const SimulationResult told = job.run();
  EXPECT_GT(polled.median_seconds(), told.median_seconds() * 0.95);
  EXPECT_LT(polled.median_seconds(), told.median_seconds() * 1.15);
  EXPECT_GT(polled.bill.total().get, told.bill.total().get);
}

// PUTs and GETs of the programs, and what a worker asks for besides.
TEST(Simulation, TheBillCountsEveryRequest) {
  MadeJob job = ordinary_job(20);
  const SimulationResult result = job.run();
  std::int64_t puts = 0, gets = 0, removes = 0, reports = 0;
  for (const Program& program : job.programs())
    for (const Op& op : program.ops) {
      puts += is_producer(op.kind);
      gets += is_consumer(op.kind);
      removes += op.kind == OpKind::release;
      reports += op.kind == OpKind::report;
    }
  std::int64_t early = 0;
  for (const WorkerResult& worker : result.workers) early += worker.early_gets;
  const std::int64_t workers = 6, stages = 3;
  const Usage usage = result.bill.total();
  EXPECT_EQ(usage.put, 20 * puts + reports * 2 + stages) << "reports every 10 iterations, three trained stages";
  EXPECT_EQ(usage.get, 20 * gets + early + workers * 3) << "the job, the stage, the first data";
  EXPECT_EQ(usage.remove, 19 * removes) << "nothing to delete in the first iteration";
  EXPECT_EQ(usage.invocations, workers);
  Seconds lived = 0;
  for (const WorkerResult& worker : result.workers) lived += worker.ended;
  EXPECT_NEAR(usage.gb_seconds, lived, 6 * 0.001) << "functions of 1 GB";
  EXPECT_NEAR(usage.vcpu_seconds, lived, 6 * 0.001);
  EXPECT_GT(result.stored_byte_seconds, 0);
}

TEST(Simulation, AStragglerMakesAllWait) {
  MadeJob job = ordinary_job();
  const Seconds usual = job.run().median_seconds();
  for (const char* fault : {"straggler=1.0x2.5", "slow-compute=1.0x2.5", "slow-links=1.0x4"}) {
    job.options.faults = *parse_faults(fault, "");
    EXPECT_GT(job.run().median_seconds(), 1.05 * usual) << fault;
  }
  job.options.faults = *parse_faults("slow-compute=1.0x3", "");
  job.up = job.down = testing::kNoLimit;
  job.latency(0, 0);
  job.options.waiting = Waiting::notified;
  // Fill and pace of the slow stage, forwards and backwards; update.
  EXPECT_NEAR(job.run().seconds_of(0), (0.05 + 0.15 + 0.05 + 3 * 0.15) + (0.1 + 0.3 + 0.1 + 3 * 0.3) + 0.02, 1e-9);
}

TEST(Simulation, AKillEndsTheJobAndItsBill) {
  MadeJob job = ordinary_job(1000);
  job.options.faults = *parse_faults("kill=0.1@12.5", "");
  const SimulationResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_THAT(describe(*result.failure), AllOf(HasSubstr("stage 0 replica 1"), HasSubstr("killed 12.5")));
  EXPECT_DOUBLE_EQ(result.total, 12.5);
  EXPECT_NEAR(result.bill.total().gb_seconds, 6 * 12.5, 1e-9);
  EXPECT_LT(result.iterations.size(), 1000u);
  job.options.iterations = 1;
  EXPECT_FALSE(job.run().failure) << "over before the kill";
}

TEST(Simulation, ALifetimesEndReplacesTheFunction) {
  MadeJob job = ordinary_job(60);
  const SimulationResult forever = job.run();
  job.options.lifetime = 20;
  const SimulationResult result = job.run();
  EXPECT_FALSE(result.failure) << describe(*result.failure);
  EXPECT_EQ(result.iterations.size(), 60u);
  for (const WorkerResult& worker : result.workers) EXPECT_GT(worker.invocations, 1);
  EXPECT_GT(result.total, forever.total);
  EXPECT_LT(result.total, 1.5 * forever.total);
}

// A snapshot that takes longer than three iterations and all slack: the first one is foretold, so no life is missed.
TEST(Simulation, TheFirstSnapshotOfALifeIsNotMissed) {
  for (const int replicas : {1, 2})
    for (const double bytes : {1e8, 1e9, 3e9}) {
      MadeJob job(1, replicas, 4, {.forward = 0.2, .backward = 0.4}, 1'000'000);
      job.up = job.down = 70e6;
      job.latency(0.02, 0.02);
      job.snapshot_bytes = bytes;
      job.stage_bytes = bytes / 3;
      job.options.waiting = Waiting::polling;
      job.options.lifetime = 300;
      job.options.iterations = 600;
      const SimulationResult result = job.run();
      EXPECT_FALSE(result.failure) << describe(*result.failure);
      EXPECT_EQ(result.iterations.size(), 600u) << replicas << " replicas, " << bytes << " bytes";
      for (const WorkerResult& worker : result.workers) EXPECT_GT(worker.invocations, 2);
    }
}

// Hand-overs, which come at different times for different stages, leave nothing behind: the iterations between them are
// as long as where everybody is told at once, and GETs are few.
TEST(Simulation, IterationsAfterAHandOverAreAsBefore) {
  MadeJob job(4, 2, 32, {.forward = 0.05, .backward = 0.1, .update = 0.02, .border = 4e6, .border_gradient = 4e6},
              8'000'000);
  job.stages[1].forward = 0.07;
  job.up = job.down = 70e6;
  job.latency(0.02, 0.02);
  job.cold_start = 1;
  job.snapshot_bytes = 400e6;
  job.stage_bytes = 100e6;
  job.options.lifetime = 300;
  job.options.iterations = 400;
  const SimulationResult told = job.run();
  job.options.waiting = Waiting::polling;
  const SimulationResult polled = job.run();
  ASSERT_FALSE(polled.failure) << describe(*polled.failure);
  EXPECT_GT(polled.workers[0].invocations, 4);
  EXPECT_LT(polled.total, 1.06 * told.total);
  EXPECT_LT(polled.bill.total().get, 4 * told.bill.total().get);
}

TEST(Simulation, ALifetimeTooShortForAnIterationEndsTheJob) {
  MadeJob job = ordinary_job();
  job.options.lifetime = 0.5;
  const SimulationResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_THAT(result.failure->message, HasSubstr("timed out after 0.50 seconds"));
}

TEST(Simulation, AWaitHasALimit) {
  MadeJob job = ordinary_job();
  job.options.faults = *parse_faults("slow-compute=0.0x1000", "");
  job.options.wait_limit = 10;
  const SimulationResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->code, ErrorCode::timeout);
  EXPECT_THAT(describe(*result.failure), HasSubstr("waits for stage 0 replica 0 in receive_activation of iteration 0"));
}

TEST(Simulation, A503IsRepeatedAndSlowsDown) {
  MadeJob job = ordinary_job();
  const SimulationResult usual = job.run();
  job.options.store.get_rate = 80;
  const SimulationResult limited = job.run();
  ASSERT_FALSE(limited.failure) << describe(*limited.failure);
  std::int64_t refused = 0;
  for (const WorkerResult& worker : limited.workers) refused += worker.refused;
  EXPECT_GT(refused, 0);
  EXPECT_GT(limited.total, usual.total);
  job.options.store.get_rate = 1;
  const SimulationResult hopeless = job.run();
  ASSERT_TRUE(hopeless.failure);
  EXPECT_THAT(hopeless.failure->message, HasSubstr("503"));
}

// Two workers that upload 150 MB each at 75 MB/s, alone and under a cap of half of what they could.
TEST(Simulation, ACapHalves) {
  MadeJob job(1, 2, 2, {}, 75'000'000, SyncAlgorithm::three_phase);
  job.up = 75e6;
  const Seconds alone = job.first_iteration();
  EXPECT_NEAR(alone, 2 + 2, 1e-9) << "a part of half the gradient, and a sum of half";
  job.options.store.most_up = 75e6;
  EXPECT_NEAR(job.first_iteration(), 2 * alone, 1e-9);
  job.options.store.most_up = 1e9;
  EXPECT_NEAR(job.first_iteration(), alone, 1e-9);
}

// A bucket of 100 MB at 1 GB/s, then 50 MB/s: 150 MB take 100/(1000-50) s and the rest at the baseline.
TEST(Simulation, ABurstRunsAheadOfTheBaseline) {
  MadeJob job(1, 2, 2, {}, 75'000'000, SyncAlgorithm::three_phase);
  job.up = 50e6;
  job.options.store.burst = {.bytes = 100'000'000, .rate = 1e9};
  const Seconds fast = 100e6 / (1e9 - 50e6), part = fast + (150e6 - fast * 1e9) / 50e6;
  EXPECT_NEAR(job.first_iteration(), part + 150e6 / 50e6, 1e-9) << "the sum finds the bucket empty";
  // After a pause of 4 s the bucket has the sum's 150 MB in 50 MB/s x 4 s, as far as it holds them.
  job.stages[0].reduce = 4;
  EXPECT_NEAR(job.first_iteration(), part + 4 + part, 1e-9);
}

// 1f1b, two stages, two micro-batches, free transfers; forward 1 s, backward 2 s. Stage 1 plays F0 B0 F1 B1 without a
// gap from 1 s on (F1's activation left at 2 s). Stage 0 plays F0, F1, waits for B0's gradient at 4 s, plays B0 till 6
// s, has B1's gradient at 7 s and ends at 9 s.
TEST(Simulation, OneForwardOneBackwardByHand) {
  MadeJob job(2, 1, 2, {.forward = 1, .backward = 2});
  job.plan.order = PipelineOrder::one_forward_one_backward;
  std::map<std::pair<int, int>, Seconds> ends;  // stage, operation in compute order
  const std::vector<Program> programs = job.programs();
  EXPECT_NEAR(job.first_iteration(), 9, 1e-9);
  for (const auto& [worker, event] : events_of(job)) {
    const auto& lane = programs[static_cast<std::size_t>(worker)].lanes[0];
    const auto at = std::find(lane.begin(), lane.end(), event.op);
    if (at != lane.end()) ends[{worker, static_cast<int>(at - lane.begin())}] = event.end;
  }
  const std::vector<Seconds> first{1, 2, 6, 9}, second{2, 4, 5, 7};
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR((ends[{0, i}]), first[static_cast<std::size_t>(i)], 1e-9) << "stage 0, " << i;
    EXPECT_NEAR((ends[{1, i}]), second[static_cast<std::size_t>(i)], 1e-9) << "stage 1, " << i;
  }
}

// Stages 0 and 2 share a parameter of 50 MB: after their synchronisation each uploads its share and fetches the
// other's.
TEST(Simulation, TiedParametersAreExchanged) {
  MadeJob job(3, 1, 1, {}, 25'000'000);
  job.up = job.down = 50e6;
  job.latency(0.25, 0.5);
  const Seconds apart = job.first_iteration();
  testing::tie(job.shapes, 7, {0, 2}, {0, 12'500'000});
  const SimulationResult result = job.run();
  EXPECT_GT(result.seconds_of(0), apart);
  // From the last backward of all, which is stage 0's: its share goes up and stage 2 has it.
  EXPECT_NEAR(result.seconds_of(0), apart + (1 + 0.25) + (0.5 + 1), 1e-9);
  EXPECT_EQ(result.bill.total().uploaded, 2 * 50'000'000);
}

TEST(Simulation, AFaultNeedsAWorker) {
  MadeJob job = ordinary_job();
  job.options.faults = *parse_faults("kill=3.0@1", "");
  const auto result = simulate(job.fleet(), job.options);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::invalid_input);
  EXPECT_THAT(result.error().message, HasSubstr("stage 3 replica 0"));
}

// No checker has seen these: stage 0 sends its activation after it has had the gradient of it.
TEST(Simulation, ProgramsThatWaitForEachOtherAreAnError) {
  const MadeJob job(2, 1, 1);
  std::vector<Program> programs = job.programs();
  const auto index_of = [&](OpKind kind) {
    const auto found =
        std::find_if(programs[0].ops.begin(), programs[0].ops.end(), [&](const Op& op) { return op.kind == kind; });
    return static_cast<int>(found - programs[0].ops.begin());
  };
  const int send = index_of(OpKind::send_activation), receive = index_of(OpKind::receive_gradient);
  std::erase_if(programs[0].ops[static_cast<std::size_t>(receive)].after,
                [&](const Dependency& dependency) { return dependency.op == send; });
  programs[0].ops[static_cast<std::size_t>(send)].after.push_back({receive, 0});
  SimulatedFleet fleet;
  for (const Program& program : programs)
    fleet.add(program, {.uplink = 1e6, .downlink = 1e6}, std::vector<double>(program.ops.size()));
  ASSERT_TRUE(fleet.link());
  const auto result = simulate(fleet, job.options);
  ASSERT_FALSE(result);
  EXPECT_THAT(describe(result.error()), AllOf(HasSubstr("stage 0 replica 0"), HasSubstr("wait for each other")));
}

TEST(Simulation, StopsWhenAsked) {
  std::stop_source stop;
  stop.request_stop();
  MadeJob job = ordinary_job(100'000);
  const auto result = simulate(job.fleet(), job.options, {}, {}, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::cancelled);
}

TEST(SimulatedFleet, AnObjectNeedsOneProducer) {
  MadeJob job(2, 1, 1);
  const std::vector<Program> programs = job.programs();
  SimulatedFleet alone;
  alone.add(programs[1], {}, std::vector<double>(programs[1].ops.size()));
  const auto linked = alone.link();
  ASSERT_FALSE(linked);
  EXPECT_THAT(describe(linked.error()), AllOf(HasSubstr("activation/s0-r0/m0"), HasSubstr("nobody publishes it")));
}

TEST(Faults, AreReadOrRefusedWithTheWayOut) {
  const auto faults = parse_faults("straggler=1.0x2.5,kill=0.11@12.5", "--faults");
  ASSERT_TRUE(faults);
  ASSERT_EQ(faults->size(), 3u);
  EXPECT_EQ((*faults)[1].kind, Fault::Kind::slow_links);
  EXPECT_EQ((*faults)[1].factor, 2.5);
  EXPECT_EQ((*faults)[2].worker, (WorkerId{0, 11}));
  EXPECT_EQ((*faults)[2].at, 12.5);
  EXPECT_TRUE(parse_faults("", "")->empty());
  const auto misspelt = parse_faults("stragler=1.0x2", "--faults");
  ASSERT_FALSE(misspelt);
  EXPECT_THAT(describe(misspelt.error()), AllOf(HasSubstr("--faults"), HasSubstr("did you mean 'straggler'")));
  for (const char* wrong :
       {"kill", "kill=", "kill=0.1", "kill=0@3", "kill=0.1@", "kill=0.1@-1", "kill=0.1@1s", "straggler=0.1x0",
        "straggler=0.1xnan", "kill=-1.0@3", "kill=0.1@1,", ",", "earthquake=1"}) {
    const auto refused = parse_faults(wrong, "--faults");
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(exit_code(refused.error()), 2);
    EXPECT_THAT(refused.error().hint, HasSubstr("kill=STAGE.REPLICA@SECONDS")) << wrong;
  }
}

TEST(LatencyDistribution, IsLogNormalByItsMedianAndItsPercentile) {
  const LatencyDistribution latency(0.027, 0.105);
  EXPECT_DOUBLE_EQ(latency.quantile(0.5), 0.027);
  EXPECT_NEAR(latency.quantile(0.99), 0.105, 1e-12);
  const double sigma = std::log(0.105 / 0.027) / 2.32634787404;
  double sum = 0, before = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = (i + 0.5) / 100'000, value = latency.quantile(u);
    EXPECT_GE(value, before);
    before = value;
    sum += value / 100'000;
  }
  EXPECT_NEAR(sum, 0.027 * std::exp(sigma * sigma / 2), 0.02 * sum) << "the mean";
  EXPECT_EQ(LatencyDistribution(0.05, 0.05).draw(12345), 0.05);
  EXPECT_EQ(LatencyDistribution(0, 0).draw(12345), 0);
}

}  // namespace
}  // namespace funcpipe
