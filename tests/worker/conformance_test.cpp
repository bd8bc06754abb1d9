// One engine, two drivers: programs are played by a worker's threads and by the simulator's events, over a store of
// fixed speed, and every operation is ready, begins and ends at the same time. The threads live in virtual time, which
// goes on when all of them sleep.
#include <dirent.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <random>
#include <set>
#include <thread>
#include <tuple>

#include "simulator/made_fleet.h"
#include "worker/player.h"

namespace funcpipe {
namespace {

using testing::kNoLimit;
using testing::MadeJob;

// Of every thread of this process but the calling one: how often it went to sleep. nullopt: one is awake.
std::optional<std::map<std::string, std::string>> sleepers() {
  std::map<std::string, std::string> slept;
  const std::string own = std::to_string(::gettid());
  DIR* const folder = ::opendir("/proc/self/task");
  bool awake = false;
  while (const dirent* const entry = ::readdir(folder)) {
    const std::string id = entry->d_name;
    if (id == "." || id == ".." || id == own) continue;
    std::ifstream status("/proc/self/task/" + id + "/status");
    std::string line, counts;
    while (std::getline(status, line)) {
      if (line.starts_with("State:") && line.find("S (sleeping)") == std::string::npos) awake = true;
      if (line.find("ctxt_switches") != std::string::npos) counts += line;
    }
    slept[id] = counts;
  }
  ::closedir(folder);
  return awake ? std::nullopt : std::optional(slept);
}

// Virtual time for many threads.
class VirtualClock final : public Clock {
 public:
  Seconds now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  bool sleep_until(Seconds deadline, std::stop_token = {}) override {
    std::unique_lock lock(mutex_);
    if (deadline <= now_) return true;
    const auto alarm = alarms_.insert(deadline);
    changed_.wait(lock, [&] { return now_ >= deadline; });
    alarms_.erase(alarm);
    return true;
  }
  void pass(Seconds seconds) {
    if (seconds > 0) sleep_until(now() + seconds);
  }

  // Lets time go on until `over` says so. Nobody wakes a sleeper but another thread, so all are asleep once each was at
  // two looks and has not run between them.
  void run(const std::function<bool()>& over) {
    while (!over()) {
      const auto before = sleepers();
      if (!before || sleepers() != before) {
        std::this_thread::yield();
        continue;
      }
      const std::lock_guard lock(mutex_);
      if (alarms_.empty()) continue;  // all are about to end, or the test's time limit will tell
      if (*alarms_.begin() <= now_) continue;
      now_ = *alarms_.begin();
      changed_.notify_all();
    }
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multiset<Seconds> alarms_;
  Seconds now_ = 0;
};

// The objects of all workers: who takes one that is not there sleeps until it is.
class Objects {
 public:
  void publish(std::int64_t iteration, const ObjectName& name) {
    const std::lock_guard lock(mutex_);
    there_.insert({iteration, name});
    came_.notify_all();
  }
  void wait_for(std::int64_t iteration, const ObjectName& name) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [&] { return there_.contains({iteration, name}); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::set<std::pair<std::int64_t, ObjectName>> there_;
};

struct Links {
  double up = kNoLimit, down = kNoLimit;
  Seconds put = 0, get = 0;
};

// Takes as long for each operation as the simulator's model says, on links that one transfer at a time uses.
class TimedExecutor final : public Executor {
 public:
  TimedExecutor(const MadeJob& job, WorkerId worker, const Links& links, VirtualClock& clock, Objects& objects)
      : job_(job), worker_(worker), links_(links), clock_(clock), objects_(objects) {}

  Result<> run(const Op& op, int, std::int64_t iteration, std::stop_token) override {
    const double cost = job_.cost(op, worker_.stage);
    switch (traits(op.kind).store) {
      case StoreRequest::none:
        clock_.pass(cost);
        return {};
      case StoreRequest::publish:
        clock_.pass(cost / links_.up);
        clock_.pass(links_.put);
        objects_.publish(iteration, op.object);
        return {};
      case StoreRequest::take:
        objects_.wait_for(iteration, op.object);
        clock_.pass(links_.get);
        clock_.pass(cost / links_.down);
        return {};
      case StoreRequest::read_data:
        return {};
      case StoreRequest::report:
        if ((iteration + 1) % job_.options.report_every == 0 || iteration + 1 == job_.options.iterations)
          clock_.pass(links_.put);
        return {};
      case StoreRequest::remove:
        if (iteration >= op.release_age) clock_.pass(links_.put);
        return {};
    }
    return {};
  }

 private:
  const MadeJob& job_;
  const WorkerId worker_;
  const Links links_;
  VirtualClock& clock_;
  Objects& objects_;
};

using Key = std::tuple<int, std::int64_t, int>;  // worker, iteration, operation
using Events = std::map<Key, OpEvent>;

Events by_simulator(const MadeJob& job) {
  Events events;
  job.run([&](int worker, const OpEvent& event) { events[{worker, event.iteration, event.op}] = event; });
  return events;
}

Events by_threads(const MadeJob& job, const Links& links) {
  const std::vector<Program> programs = job.programs();
  VirtualClock clock;
  Objects objects;
  Events events;
  std::mutex mutex;
  int playing = static_cast<int>(programs.size());
  std::vector<std::jthread> workers;
  for (int index = 0; index < static_cast<int>(programs.size()); ++index)
    workers.emplace_back([&, index] {
      const Program& program = programs[static_cast<std::size_t>(index)];
      const bool serves = program.worker == kParameterServer;
      const Links own = serves ? Links{} : links;
      TimedExecutor executor(job, program.worker, own, clock, objects);
      clock.pass(2 * own.get);  // the job's specification and the stage
      const OpObserver observe = [&](const OpEvent& event) {
        const std::lock_guard lock(mutex);
        events[{index, event.iteration, event.op}] = event;
      };
      const auto played = play(program, 0, job.options.iterations, executor,
                               {job.options.download_connections, job.options.upload_connections}, clock, {}, observe);
      EXPECT_TRUE(played) << describe(played.error());
      const std::lock_guard lock(mutex);
      --playing;
    });
  clock.run([&] {
    const std::lock_guard lock(mutex);
    return playing == 0;
  });
  return events;
}

void expect_same(const Events& threads, const Events& simulated, const std::vector<Program>& programs) {
  constexpr Seconds kRounding = 1e-9;
  ASSERT_EQ(threads.size(), simulated.size());
  int wrong = 0;
  for (const auto& [key, expected] : simulated) {
    const auto found = threads.find(key);
    ASSERT_NE(found, threads.end());
    const OpEvent& event = found->second;
    const bool same = std::abs(event.ready - expected.ready) < kRounding &&
                      std::abs(event.start - expected.start) < kRounding &&
                      std::abs(event.end - expected.end) < kRounding;
    if (same || ++wrong > 5) continue;
    const auto& [worker, iteration, op] = key;
    const Program& program = programs[static_cast<std::size_t>(worker)];
    ADD_FAILURE() << fmt::format(
        "{}, iteration {}, operation {} ({}): threads {:.4f} {:.4f}-{:.4f}, simulated {:.4f} "
        "{:.4f}-{:.4f}",
        to_string(program.worker), iteration, op, to_string(program.ops[static_cast<std::size_t>(op)].kind),
        event.ready, event.start, event.end, expected.ready, expected.start, expected.end);
  }
  EXPECT_EQ(wrong, 0);
}

// Either large objects, one at a time each way, or small ones, several at once and each as late as the latency: what
// two that share a link do to each other is the links' own test (links_test.cpp).
TEST(Conformance, ThreadsAndEventsPlayRandomProgramsAlike) {
  std::mt19937 random(11);
  const auto drawn = [&](double least, double most) {
    return std::uniform_real_distribution<double>(least, most)(random);
  };
  std::size_t operations = 0;
  for (const SyncTraits* const sync : sync_algorithms())
    for (const PipelineOrder order : {PipelineOrder::gpipe, PipelineOrder::one_forward_one_backward})
      for (const bool large : {true, false}) {
        const int stages = sync->has_server ? 1 : 1 + static_cast<int>(random() % 3);
        const int replicas = 1 + static_cast<int>(random() % 4);
        MadeJob job(stages, replicas, replicas + static_cast<int>(random() % 4), {}, 4000 + random() % 100,
                    SyncAlgorithm(sync->name));
        SCOPED_TRACE(fmt::format("{}, {}, {} x {}, {}", sync->name, to_string(order), stages, replicas,
                                 large ? "large" : "small"));
        job.plan.order = order;
        for (auto& stage : job.stages)
          stage = {.forward = drawn(1, 3),
                   .backward = drawn(2, 5),
                   .reduce = drawn(0.01, 0.1),
                   .update = drawn(0.1, 1),
                   .border = drawn(1000, 9000),
                   .border_gradient = drawn(1000, 9000)};
        job.shapes.front().shares_state = random() % 2 == 0;
        if (stages > 1) testing::tie(job.shapes, 0, {0, stages - 1}, {100, 500});
        Links links{.put = drawn(0.01, 0.2), .get = drawn(0.01, 0.2)};
        if (large) links.up = links.down = drawn(3000, 9000);
        job.up = links.up;
        job.down = links.down;
        job.latency(links.put, links.get);
        job.connections(large ? 1 : 1 + static_cast<int>(random() % 4));
        job.options.iterations = 4;
        job.options.report_every = 3;
        const Events simulated = by_simulator(job);
        operations += simulated.size();
        expect_same(by_threads(job, links), simulated, job.programs());
      }
  EXPECT_GT(operations, 3000u);
}

}  // namespace
}  // namespace funcpipe
