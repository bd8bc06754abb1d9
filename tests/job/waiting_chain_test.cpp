#include "job/waiting_chain.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "protocol/job_keys.h"
#include "protocol/waiting_worker.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void waits(Store& store, WorkerId worker, WorkerId producer, bool gave_up = false, const std::string& prefix = "job") {
  const WaitingWorker waiting{producer, "receive_activation", 7, gave_up};
  ASSERT_TRUE(store.put(waiting_key(prefix, worker), to_json(waiting).dump()));
}

TEST(WaitingChain, EndsAtTheWorkerThatWaitsForNobody) {
  MemoryStore store;
  waits(store, {0, 0}, {1, 0}, true);
  waits(store, {1, 0}, {2, 0});
  waits(store, {1, 1}, {2, 1});
  const auto chain = waiting_chain(store, "job", {0, 0});
  EXPECT_THAT(chain, ElementsAre(WorkerId{0, 0}, WorkerId{1, 0}, WorkerId{2, 0}));
  const Error told =
      tell_chain({.code = ErrorCode::timeout, .message = "its object is not there", .place = "stage 0"}, chain);
  EXPECT_EQ(told.place, "stage 2 replica 0");
  EXPECT_THAT(told.message,
              HasSubstr("stage 0 replica 0 waits for stage 1 replica 0, which waits for stage 2 replica 0, "
                        "which waits for nobody"));
  EXPECT_THAT(told.message, HasSubstr("its object is not there"));
}

TEST(WaitingChain, GoesThroughValidationToo) {
  MemoryStore store;
  waits(store, {1, 0}, {0, 0}, true, "job/validation");
  EXPECT_THAT(waiting_chain(store, "job", {1, 0}), ElementsAre(WorkerId{1, 0}, WorkerId{0, 0}));
}

TEST(WaitingChain, IsNoneOfAWorkerThatFailedForAnotherReason) {
  MemoryStore store;
  EXPECT_THAT(waiting_chain(store, "job", {0, 0}), IsEmpty());
  waits(store, {0, 0}, {1, 0});  // another lane of it waited
  EXPECT_THAT(waiting_chain(store, "job", {0, 0}), IsEmpty());
  const Error error{.code = ErrorCode::failed, .message = "the model raised"};
  EXPECT_EQ(tell_chain(error, {}).message, "the model raised");
}

TEST(WaitingChain, ACircleIsTold) {
  MemoryStore store;
  waits(store, {0, 0}, {1, 0}, true);
  waits(store, {1, 0}, {0, 0});
  EXPECT_THAT(tell_chain({}, waiting_chain(store, "job", {0, 0})).message, HasSubstr("they wait for each other"));
}

}  // namespace
}  // namespace funcpipe
