#include "schedule/play_state.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace funcpipe {
namespace {

// Threads end two operations and tell of them in the other order: the third was ready when the later one ended.
TEST(PlayState, IsReadyWhenTheLastDependencyEndedWhateverIsToldFirst) {
  Program program;
  program.ops = {{.kind = OpKind::load, .micro_batch = 0},
                 {.kind = OpKind::receive_activation, .micro_batch = 0},
                 {.kind = OpKind::forward, .micro_batch = 0, .after = {{0, 0}, {1, 0}}}};
  program.lanes[static_cast<int>(Lane::compute)] = {2};
  program.lanes[static_cast<int>(Lane::download)] = {0, 1};
  FlatPrograms programs;
  programs.add(program);
  PlayState state(programs, {.download = 2, .upload = 1}, /*keep_ready=*/true);
  state.begin(0, 0, 1, 5);
  std::vector<std::uint32_t> downloads;
  std::swap(downloads, state.started);
  ASSERT_EQ(downloads.size(), 2u);
  state.done(downloads[0], 10);
  EXPECT_TRUE(state.started.empty());
  state.done(downloads[1], 9);
  ASSERT_EQ(state.started.size(), 1u);
  EXPECT_EQ(state.task(state.started[0]).op, 2);
  EXPECT_EQ(state.task(state.started[0]).ready, 10);
}

}  // namespace
}  // namespace funcpipe
