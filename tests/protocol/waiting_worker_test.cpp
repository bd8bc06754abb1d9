#include "protocol/waiting_worker.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

using nlohmann::json;

TEST(WaitingWorker, SurvivesJson) {
  const json written = {{"producer_stage", 2},
                        {"producer_replica", 1},
                        {"operation", "receive_activation"},
                        {"iteration", 7},
                        {"gave_up", true}};
  const auto read = waiting_worker_from_json(written, "note");
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(read->producer, (WorkerId{2, 1}));
  EXPECT_EQ(read->operation, "receive_activation");
  EXPECT_EQ(read->iteration, 7);
  EXPECT_TRUE(read->gave_up);
  EXPECT_EQ(to_json(*read), written);
}

TEST(WaitingWorker, RefusesAMissingMember) {
  json lacking = to_json(WaitingWorker{});
  lacking.erase("gave_up");
  const auto read = waiting_worker_from_json(lacking, "note");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().place, "note");
}

}  // namespace
}  // namespace funcpipe
