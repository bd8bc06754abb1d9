#include "job/state_remarks.h"

#include <gmock/gmock.h>

#include "job/four_layers.h"

namespace funcpipe {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

JobSpec spec_of(int replicas) {
  JobSpec spec;
  spec.model = four_layers();
  spec.plan.replicas = replicas;
  return spec;
}

TEST(StateRemarks, SayWhatReplicasShare) {
  JobSpec spec = spec_of(3);
  EXPECT_THAT(state_remarks(spec), IsEmpty());
  spec.model.layers[1].shared_state = {"queue", "at"};
  spec.model.layers[1].shared_state_bytes = 3 * kMiB;
  spec.model.layers[2].shared_state = {"h", "steps"};
  spec.model.layers[2].shared_state_bytes = kMiB;
  const auto said = state_remarks(spec);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("(queue, at, h and 1 more)"));
  EXPECT_THAT(said[0],
              HasSubstr("to the other 2, " + format_bytes(4 * kMiB) + " up and " + format_bytes(8 * kMiB) + " down"));
  spec.plan.replicas = 1;
  EXPECT_THAT(state_remarks(spec), IsEmpty());
}

TEST(StateRemarks, SayWhatTheStateDictMayHoldTooMuch) {
  JobSpec spec = spec_of(1);
  spec.model.perhaps_not_in_state_dict = {"mask"};
  const auto said = state_remarks(spec);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("the buffer mask, perhaps more than the class's own state dict"));
}

}  // namespace
}  // namespace funcpipe
