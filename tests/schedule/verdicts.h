// What the checker says of sound programs that are damaged.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "schedule/checker.h"
#include "schedule/shapes.h"

namespace funcpipe::testing {

inline const std::vector<SyncAlgorithm> kAll = algorithms_of_functions();

inline std::string verdict(const std::vector<Program>& programs) {
  const Result<> result = check_programs(programs);
  return result ? "sound" : describe(result.error());
}

// Breaks a sound set of programs and expects the verdict to say `what`.
inline void expect_refusal(const std::string& what, const std::function<void(std::vector<Program>&)>& damage) {
  for (const SyncAlgorithm sync : kAll) {
    auto programs = programs_of(plan_of(3, 3, 7, sync), shapes_of(3, 100));
    ASSERT_EQ(verdict(programs), "sound");
    damage(programs);
    EXPECT_THAT(verdict(programs), ::testing::HasSubstr(what)) << to_string(sync);
  }
}

inline int find(const Program& program, OpKind kind, int nth = 0) {
  for (int i = 0; i < static_cast<int>(program.ops.size()); ++i) {
    if (program.ops[i].kind == kind && nth-- == 0) return i;
  }
  ADD_FAILURE() << "no " << to_string(kind);
  return 0;
}

inline std::vector<int>& lane(Program& program, OpKind kind) {
  return program.lanes[static_cast<int>(lane_of(kind))];
}

inline std::vector<Program> parameter_server_programs(int replicas, std::int64_t elements, PipelineOrder order) {
  Plan plan = plan_of(1, replicas, 2 * replicas + 3, SyncAlgorithm::parameter_server);
  plan.order = order;
  return programs_of(plan, shapes_of(1, elements));
}

}  // namespace funcpipe::testing
