#include "job/launch.h"

#include <gmock/gmock.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>

#include "functions/memory_service.h"
#include "job/cloud.h"
#include "job/report_line.h"

namespace funcpipe {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr Seconds kLong = 30;

LaunchOptions two_by_two() {
  return {.job = "j",
          .bucket = "b",
          .prefix = "p",
          .workers = {{0, 0}, {0, 1}, {1, 0}, {1, 1}},
          .function_of = [](WorkerId worker) { return fmt::format("f{}", worker.stage); },
          .vcpus_of = [](WorkerId) { return 0.5; }};
}

void create_both(FunctionService& service) {
  ASSERT_TRUE(service.create({.name = "f0"}));
  ASSERT_TRUE(service.create({.name = "f1"}));
}

std::string answer(const char* status, std::int64_t next, const char* error = "") {
  return to_json(WorkerAnswer{.status = status,
                              .next_iteration = next,
                              .progressed = next > 0,
                              .peak_memory = 100 * kMiB,
                              .error = error})
      .dump();
}

// Else a training of more than 16 minutes in one invocation breaks off where the platform allows it a day.
TEST(Cloud, WaitsForAnInvocationAsLongAsAFunctionMayLive) {
  for (const std::string name : {"local", "aws-lambda"}) {
    const auto platform = load_platform(name);
    ASSERT_TRUE(platform) << describe(platform.error());
    EXPECT_GT(invocation_limit(*platform, 1), platform->limits.lifetime) << name;
    EXPECT_GT(invocation_limit(*platform, 50), 50 * platform->limits.lifetime) << name;
  }
}

TEST(InvokedWorkers, InvokesEveryWorkerOnceAtItsStagesFunction) {
  std::mutex mutex;
  std::multiset<std::string> seen;
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    const auto invocation = worker_invocation_from_json(json::parse(call.payload));
    EXPECT_TRUE(invocation);
    const std::lock_guard lock(mutex);
    seen.insert(fmt::format("{} {}", call.spec.name, to_string(invocation->worker)));
    return answer("done", 10);
  });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_TRUE(workers.wait(kLong, {}));
  EXPECT_EQ(seen, (std::multiset<std::string>{"f0 stage 0 replica 0", "f0 stage 0 replica 1", "f1 stage 1 replica 0",
                                              "f1 stage 1 replica 1"}));
  EXPECT_EQ(workers.peak_memory(), 100 * kMiB);
}

TEST(InvokedWorkers, InvokesAgainFromWhereAWorkerStopped) {
  std::mutex mutex;
  std::multiset<std::int64_t> lives;
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    const auto invocation = worker_invocation_from_json(json::parse(call.payload));
    const std::lock_guard lock(mutex);
    lives.insert(invocation->incarnation);
    return invocation->incarnation < 2 ? answer("continue", 10 * invocation->incarnation + 10) : answer("done", 30);
  });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_TRUE(workers.wait(kLong, {}));
  EXPECT_EQ(lives, (std::multiset<std::int64_t>{0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2}));
}

// Until all are done (true) or one has failed; the accidents on the way.
bool wait_to_the_end(InvokedWorkers& workers, std::vector<Accident>& accidents) {
  while (true) {
    const bool done = workers.wait(kLong, {});
    for (Accident& accident : workers.take_accidents()) accidents.push_back(std::move(accident));
    if (done || workers.failure()) return done;
  }
}

// How often a function that always ends so is invoked, with two restarts.
int tries(const std::function<Result<std::string>(std::string& log)>& function) {
  std::atomic<int> calls = 0;
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    ++calls;
    return function(call.log);
  });
  create_both(service);
  LaunchOptions options = two_by_two();
  options.workers = {{0, 0}};
  options.restarts = 2;
  InvokedWorkers workers(service, options);
  std::vector<Accident> accidents;
  EXPECT_FALSE(wait_to_the_end(workers, accidents));
  EXPECT_EQ(std::ssize(accidents), calls - 1);
  return calls;
}

TEST(InvokedWorkers, ALostWorkerIsInvokedAgainAndOneThatWouldBeLostAgainIsNot) {
  const auto crash = [](const char* message, const char* said) {
    return [=](std::string& log) -> Result<std::string> {
      log += said;
      return fail(ErrorCode::failed, message);
    };
  };
  EXPECT_EQ(tries(crash("Runtime exited with error: signal: killed", "")), 3);
  EXPECT_EQ(tries(crash("Runtime exited with error: exit status 1", "")), 3);
  EXPECT_EQ(tries(crash("Task timed out after 2.00 seconds", "")), 2) << "a life that is too short is so again";
  EXPECT_EQ(tries(crash("Runtime exited with error: signal: killed", "REPORT ... Error Type: Runtime.OutOfMemory")), 1);
  EXPECT_EQ(tries(crash("RequestId: 1 Error: fork/exec /var/task/bootstrap: Runtime.InvalidEntrypoint", "")), 1);
  EXPECT_EQ(tries([](std::string&) -> Result<std::string> { return answer("failed", 3, "the model raised: no"); }), 1);
  EXPECT_EQ(
      tries([](std::string&) -> Result<std::string> {
        return to_json(WorkerAnswer{.status = "failed", .error = "the store does not answer", .passing = true}).dump();
      }),
      3);
}

TEST(InvokedWorkers, ALostWorkerGoesOnAndTheJobIsDone) {
  std::mutex mutex;
  std::map<WorkerId, std::vector<std::int64_t>> lives;
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    const auto invocation = worker_invocation_from_json(json::parse(call.payload));
    {
      const std::lock_guard lock(mutex);
      lives[invocation->worker].push_back(invocation->incarnation);
    }
    if (invocation->worker == WorkerId{1, 0} && invocation->incarnation < 72)
      return fail(ErrorCode::failed, "Runtime exited with error: signal: killed");
    return answer("done", 30);
  });
  create_both(service);
  LaunchOptions options = two_by_two();
  options.restarts = 2;
  options.first_incarnation = 70;
  InvokedWorkers workers(service, options);
  std::vector<Accident> accidents;
  EXPECT_TRUE(wait_to_the_end(workers, accidents));
  EXPECT_EQ((lives[{1, 0}]), (std::vector<std::int64_t>{70, 71, 72}));
  EXPECT_EQ((lives[{0, 1}]), (std::vector<std::int64_t>{70}));
  ASSERT_EQ(accidents.size(), 2u);
  EXPECT_EQ(accidents[1].worker, (WorkerId{1, 0}));
  EXPECT_EQ(accidents[1].times, 2);
  EXPECT_THAT(describe(accidents[1].error), HasSubstr("signal: killed"));
}

TEST(InvokedWorkers, TheParameterServerIsServedAndNotInvoked) {
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    EXPECT_NE(worker_invocation_from_json(json::parse(call.payload))->worker, kParameterServer);
    return answer("done", 10);
  });
  create_both(service);
  LaunchOptions options = two_by_two();
  options.workers.push_back(kParameterServer);
  std::atomic<int> served = 0;
  options.serve = [&](const WorkerInvocation& invocation, std::stop_token) -> Result<WorkerAnswer> {
    EXPECT_EQ(invocation.prefix, "p");
    ++served;
    return WorkerAnswer{.status = "done", .next_iteration = 10, .peak_memory = 900 * kMiB, .error = {}};
  };
  {
    InvokedWorkers workers(service, options);
    EXPECT_TRUE(workers.wait(kLong, {}));
    EXPECT_EQ(served, 1);
    EXPECT_EQ(workers.peak_memory(), 100 * kMiB) << "the largest function's";
  }
  options.serve = [](const WorkerInvocation&, std::stop_token) -> Result<WorkerAnswer> {
    return fail(ErrorCode::exhausted, "no memory left", "the parameter server");
  };
  InvokedWorkers workers(service, options);
  EXPECT_FALSE(workers.wait(kLong, {}));
  ASSERT_TRUE(workers.failure());
  EXPECT_EQ(workers.failure()->place, "the parameter server");
}

TEST(InvokedWorkers, AWorkerThatMakesNoProgressIsAFailureNotALoop) {
  MemoryService service([&](const MemoryCall&) -> Result<std::string> { return answer("continue", 0); });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_FALSE(workers.wait(kLong, {}));
  EXPECT_TRUE(workers.failure());
}

TEST(InvokedWorkers, ReportsTheWorkerThatFailedFirstAndReleasesTheOthers) {
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    const auto invocation = worker_invocation_from_json(json::parse(call.payload));
    if (invocation->worker == WorkerId{1, 0}) {
      call.log += "first line\nsecond line\n";
      return fail(ErrorCode::exhausted, "out of memory");
    }
    while (!call.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return fail(ErrorCode::timeout, "waited for stage 1 replica 0");
  });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_FALSE(workers.wait(kLong, {}));
  const auto failure = workers.failure();
  ASSERT_TRUE(failure);
  EXPECT_THAT(failure->place, HasSubstr("stage 1 replica 0"));
  EXPECT_THAT(failure->message, HasSubstr("out of memory"));
  EXPECT_THAT(failure->message, HasSubstr("second line"));
  workers.stop();
  EXPECT_THAT(workers.failure()->place, HasSubstr("stage 1 replica 0"));
}

TEST(InvokedWorkers, WhatEndsAFunctionFromOutsideHasAWayOut) {
  struct Case {
    const char* message;
    const char* log;
    const char* hint;
  };
  for (const Case& c :
       {Case{"Runtime exited with error: signal: killed", "REPORT ... Error Type: Runtime.OutOfMemory",
             "it reached the limit of its memory: give it more memory (--platform.memory_mb)"},
        Case{"Runtime exited with error: signal: killed",
             "REPORT RequestId: 1 Billed Duration: 6 ms Memory Size: 128 MB Max Memory Used: 128 MB",
             "it was at the limit of its memory: give it more memory"},
        Case{"Runtime exited with error: signal: killed",
             "REPORT RequestId: 1 Billed Duration: 6 ms Memory Size: 1024 MB Max Memory Used: 128 MB",
             "somebody killed it, or its machine ran out of memory"},
        Case{"Runtime exited with error: signal: killed", "REPORT ... Error Type: Runtime.ExitError",
             "somebody killed it"},
        Case{"Task timed out after 2.00 seconds", "", "--platform.lifetime"}, Case{"as asked", "", ""}}) {
    MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
      call.log += c.log;
      return fail(ErrorCode::failed, c.message);
    });
    create_both(service);
    InvokedWorkers workers(service, two_by_two());
    EXPECT_FALSE(workers.wait(kLong, {}));
    EXPECT_THAT(workers.failure()->hint, HasSubstr(c.hint));
    EXPECT_EQ(workers.failure()->hint.empty(), std::string(c.hint).empty());
  }
}

TEST(InvokedWorkers, SaysHowMuchMemoryAKilledFunctionHad) {
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    call.log += "REPORT RequestId: 1 Billed Duration: 6 ms Memory Size: 1024 MB Max Memory Used: 130 MB";
    return fail(ErrorCode::failed, "Runtime exited with error: signal: killed");
  });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_FALSE(workers.wait(kLong, {}));
  EXPECT_THAT(workers.failure()->message, HasSubstr("signal: killed (its memory: at most 130 MB used of 1024 MB)"));
  EXPECT_TRUE(workers.failed_worker());
}

// Workers of a cloud that is not embedded: nobody can end them from here.
TEST(InvokedWorkers, MarksTheStopAndWaitsForWorkersToSeeIt) {
  std::atomic<bool> marked = false;
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    while (!marked && !call.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return answer("failed", 0, "the job was stopped");
  });
  create_both(service);
  LaunchOptions options = two_by_two();
  std::string told;
  options.grace = kLong;
  options.mark_stop = [&](const std::string& reason) -> Result<> {
    told = reason;
    marked = true;
    return {};
  };
  {
    InvokedWorkers workers(service, options);
    EXPECT_EQ(workers.stop("the user stopped it"), 0) << "all have ended";
    EXPECT_EQ(told, "the user stopped it");
  }
  marked = false;
  options.grace = 0.2;
  options.mark_stop = [&](const std::string&) -> Result<> { return {}; };
  InvokedWorkers deaf(service, options);
  EXPECT_EQ(deaf.stop(), 4) << "as far as anyone can tell";
}

TEST(InvokedWorkers, AnErrorInTheAnswerIsAFailure) {
  MemoryService service([&](const MemoryCall&) -> Result<std::string> { return answer("failed", 0, "diverged"); });
  create_both(service);
  InvokedWorkers workers(service, two_by_two());
  EXPECT_FALSE(workers.wait(kLong, {}));
  EXPECT_THAT(workers.failure()->message, HasSubstr("diverged"));
}

TEST(InvokedWorkers, NonsenseAnswersAreFailures) {
  for (const char* nonsense : {"", "[]", "{\"status\": 1}", "null"}) {
    MemoryService service([&](const MemoryCall&) -> Result<std::string> { return nonsense; });
    create_both(service);
    InvokedWorkers workers(service, two_by_two());
    EXPECT_FALSE(workers.wait(kLong, {}));
    EXPECT_TRUE(workers.failure()) << nonsense;
  }
}

TEST(InvokedWorkers, StopsWaitingWhenAsked) {
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    while (!call.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return answer("done", 1);
  });
  create_both(service);
  std::stop_source source;
  InvokedWorkers workers(service, two_by_two());
  source.request_stop();
  EXPECT_FALSE(workers.wait(kLong, source.get_token()));
  workers.stop();
  EXPECT_FALSE(workers.failure()) << "being stopped is no worker's failure";
}

TEST(InvokedWorkers, EndsTheFunctionsOnceItsInvocationsAreAbandoned) {
  MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
    while (!call.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return answer("done", 1);
  });
  create_both(service);
  int ended = 0;
  LaunchOptions options = two_by_two();
  options.end_functions = [&] { ++ended; };
  {
    InvokedWorkers workers(service, options);
    workers.stop();
    EXPECT_EQ(ended, 1);
  }
  EXPECT_EQ(ended, 1) << "once";
  { const InvokedWorkers workers(service, options); }
  EXPECT_EQ(ended, 2) << "also where nobody called stop()";
}

TEST(ReportLine, IsReadFromTheEndOfALog) {
  const auto report = last_report_line(
      "hello\nREPORT RequestId: 1 Duration: 5 ms Billed Duration: 6 ms Memory Size: 128 MB Max Memory Used: 9 MB\n"
      "REPORT RequestId: 2\tDuration: 1500.21 ms\tBilled Duration: 1501 ms\tMemory Size: 1024 MB\tMax Memory Used: 80 "
      "MB\n");
  ASSERT_TRUE(report);
  EXPECT_DOUBLE_EQ(report->billed, 1.501);
  EXPECT_EQ(report->memory_mb, 1024);
  EXPECT_EQ(report->max_memory_mb, 80);
  EXPECT_FALSE(last_report_line("nothing of the kind"));
}

}  // namespace
}  // namespace funcpipe
