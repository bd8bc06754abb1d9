// The services that need no server, against the suite every service must pass.
#include "functions/faulty_service.h"
#include "functions/memory_service.h"
#include "functions/service_conformance.h"

namespace funcpipe {
namespace {

INSTANTIATE_TEST_SUITE_P(Memory, ServiceConformance,
                         testing::Values(ServiceKind{
                             "memory", [] {
                               return ServiceUnderTest{nullptr, std::make_unique<MemoryService>(conformance_function)};
                             }}));

INSTANTIATE_TEST_SUITE_P(FaultyWithoutFaults, ServiceConformance,
                         testing::Values(ServiceKind{"faulty", [] {
                                                       auto inner =
                                                           std::make_shared<MemoryService>(conformance_function);
                                                       auto faulty = std::make_unique<FaultyService>(
                                                           *inner, ServiceFaults{.quiet = true});
                                                       return ServiceUnderTest{inner, std::move(faulty)};
                                                     }}));

// How often a function ran for 100 invokes or events under `faults`, and how many of them were reported as done.
std::pair<int, int> runs_and_successes(const ServiceFaults& faults, bool async) {
  std::atomic<int> runs = 0;
  int successes = 0;
  {
    MemoryService memory([&](const MemoryCall&) -> Result<std::string> {
      ++runs;
      return "done";
    });
    EXPECT_TRUE(memory.create({.name = "f"}).has_value());
    FaultyService service(memory, faults);
    for (int i = 0; i < 100; ++i) {
      successes += async ? service.invoke_async("f", "{}").has_value() : service.invoke("f", "{}").has_value();
    }
  }
  return {runs, successes};
}

TEST(FaultyService, BreaksWhatItIsTold) {
  const auto throttled = runs_and_successes({.throttle = 0.3, .quiet = true}, false);
  EXPECT_EQ(throttled.first, throttled.second);
  EXPECT_NEAR(throttled.second, 70, 20);
  const auto lost_answers = runs_and_successes({.lost_answer = 0.3, .quiet = true}, false);
  EXPECT_EQ(lost_answers.first, 100);
  EXPECT_NEAR(lost_answers.second, 70, 20);
  const auto lost_events = runs_and_successes({.lost_event = 0.3, .quiet = true}, true);
  EXPECT_EQ(lost_events.second, 100);
  EXPECT_NEAR(lost_events.first, 70, 20);
  const auto twins = runs_and_successes({.twice = 0.3, .quiet = true}, true);
  EXPECT_EQ(twins.second, 100);
  EXPECT_NEAR(twins.first, 130, 20);
  EXPECT_EQ(throttled, runs_and_successes({.throttle = 0.3, .quiet = true}, false)) << "the seed repeats it";
}

TEST(MemoryService, AFunctionMayStartOthersEvenAtTheEnd) {
  std::atomic<int> ran = 0;
  MemoryService* itself = nullptr;
  {
    MemoryService service([&](const MemoryCall& call) -> Result<std::string> {
      ++ran;
      if (call.payload == "0") return "last";
      return to_string(itself->invoke_async("f", std::to_string(std::stoi(call.payload) - 1)).has_value()
                           ? ErrorCode::failed
                           : ErrorCode::not_found)
          .data();
    });
    itself = &service;
    FunctionSpec spec;
    spec.name = "f";
    ASSERT_TRUE(service.create(spec).has_value());
    ASSERT_TRUE(service.invoke("f", "5").has_value());
  }
  EXPECT_GE(ran, 1);
  EXPECT_LE(ran, 6);
}

}  // namespace
}  // namespace funcpipe
