#include "protocol/invocation.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace funcpipe {
namespace {

using nlohmann::json;

TEST(WorkerMessages, SurviveJson) {
  const WorkerInvocation invocation{"j", "b", "p", {1, 2}, 40, "00ff"};
  const auto read = worker_invocation_from_json(to_json(invocation));
  ASSERT_TRUE(read) << describe(read.error());
  EXPECT_EQ(to_json(*read), to_json(invocation));
  EXPECT_EQ(read->worker, (WorkerId{1, 2}));

  const WorkerAnswer answer{.status = "continue",
                            .next_iteration = 41,
                            .progressed = true,
                            .peak_memory = 123456789,
                            .error = "",
                            .passing = true};
  const auto read_answer = worker_answer_from_json(to_json(answer));
  ASSERT_TRUE(read_answer);
  EXPECT_EQ(to_json(*read_answer), to_json(answer));

  EXPECT_FALSE(worker_invocation_from_json(json("text")));
  EXPECT_FALSE(worker_invocation_from_json({{"job", "j"}}));
  json out_of_range = to_json(invocation);
  out_of_range["stage"] = 1LL << 40;
  EXPECT_FALSE(worker_invocation_from_json(out_of_range));
  EXPECT_FALSE(worker_answer_from_json(json::object()));
}

}  // namespace
}  // namespace funcpipe
