// What every registered synchronisation algorithm promises in closed form is what its programs do.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "schedule/local_order.h"
#include "schedule/shapes.h"
#include "schedule/sync/shards.h"

namespace funcpipe {
namespace {

using testing::algorithms_of_functions;
using testing::plan_of;
using testing::shapes_of;

class SyncAlgorithms : public ::testing::TestWithParam<SyncAlgorithm> {};

TEST_P(SyncAlgorithms, MoveTheBytesAndRequestsTheySay) {
  for (const int n : {2, 3, 4, 5, 6, 8, 9, 12, 16, 36, 64}) {
    const std::int64_t elements = 576 * 5 * 7 * n;  // equal shards on every level
    for (int replica = 0; replica < n; ++replica) {
      const Program program = training_program(plan_of(1, n, n, GetParam()), shapes_of(1, elements), {0, replica});
      SyncTraffic moved;
      for (const Op& op : program.ops) {
        const double bytes = static_cast<double>(op.slice.elements) * sizeof(float);
        if (traits(op.kind).purpose != Purpose::synchronisation) continue;
        const bool up = is_producer(op.kind);
        (up ? moved.up_bytes : moved.down_bytes) += bytes;
        (up ? moved.puts : moved.gets) += 1;
      }
      const SyncTraffic said = traits(GetParam()).traffic(static_cast<double>(elements) * sizeof(float), n);
      EXPECT_DOUBLE_EQ(moved.up_bytes, said.up_bytes) << n;
      EXPECT_DOUBLE_EQ(moved.down_bytes, said.down_bytes) << n;
      EXPECT_EQ(moved.puts, said.puts) << n;
      EXPECT_EQ(moved.gets, said.gets) << n;
    }
  }
}

// However late the compute lane is. Once so many additions are done, a part may be staged if its fetch waits for no
// more of them and it is not added itself; and of the sums of others as many may come in as a lane has in flight.
TEST_P(SyncAlgorithms, StageNoMoreThanTheySay) {
  for (const int n : {2, 3, 4, 6, 8, 9, 16, 36}) {
    for (const std::int64_t elements : {std::int64_t{36 * 400}, std::int64_t{36 * 1'000'000}}) {
      const Program program = training_program(plan_of(1, n, n, GetParam()), shapes_of(1, elements), {0, n / 2});
      const LocalOrder order(program);
      std::vector<int> additions;  // operations
      for (int i = 0; i < static_cast<int>(program.ops.size()); ++i)
        if (traits(program.ops[i].kind).purpose == Purpose::sum) additions.push_back(i);
      const auto done_before = [&](int op) {
        int done = 0;
        while (done < std::ssize(additions) && order.before(additions[done], op)) ++done;
        return done;
      };
      std::int64_t most = 0;
      for (int done = 0; done <= std::ssize(additions); ++done) {
        std::int64_t staged = 0;
        for (int i = done; i < std::ssize(additions); ++i)
          if (const int source = program.ops[additions[i]].source; done_before(source) <= done)
            staged += program.ops[source].slice.elements;
        std::vector<std::int64_t> sums;
        for (int i = 0; i < static_cast<int>(program.ops.size()); ++i) {
          const Op& op = program.ops[i];
          if (is_consumer(op.kind) && op.object.kind == ObjectKind::merged && done_before(i) <= done)
            sums.push_back(op.slice.elements);
        }
        std::ranges::sort(sums, std::greater());
        for (int i = 0; i < std::min<int>(kTransfersInFlight, static_cast<int>(sums.size())); ++i) staged += sums[i];
        most = std::max(most, staged);
      }
      const Bytes said = traits(GetParam()).staged(elements * static_cast<Bytes>(sizeof(float)), n);
      EXPECT_LE(most * static_cast<Bytes>(sizeof(float)), said) << n << " " << elements;
    }
  }
}

TEST_P(SyncAlgorithms, SecondsShrinkWithFasterLinksAndNeverBeatTheDownlink) {
  for (const int n : {2, 3, 4, 6, 16, 64}) {
    constexpr double kBytes = 3e8;
    Seconds before = 1e9;
    for (const double rate : {20e6, 70e6, 400e6}) {
      const SyncLinks links{.uplink = rate, .downlink = rate, .put = 0.03, .get = 0.02, .connections = 4};
      const Seconds seconds = traits(GetParam()).seconds(kBytes, n, links);
      EXPECT_LT(seconds, before);
      EXPECT_GE(seconds, 2 * (1 - 1.0 / n) * kBytes / rate);
      before = seconds;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, SyncAlgorithms, ::testing::ValuesIn(algorithms_of_functions()),
                         [](const auto& info) {
                           std::string name(info.param.name());
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(SyncRegistry, KnowsItsNamesAndNoOthers) {
  for (const SyncTraits* const algorithm : sync_algorithms()) {
    const auto parsed = parse_sync_algorithm(algorithm->name);
    ASSERT_TRUE(parsed) << algorithm->name;
    EXPECT_EQ(&traits(*parsed), algorithm);
    EXPECT_EQ(algorithm->has_server, algorithm->server != nullptr);
  }
  EXPECT_EQ(sync_algorithms().front()->name, SyncAlgorithm().name()) << "the default";
  const auto unknown = parse_sync_algorithm("ring");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().hint.find("two-level"), std::string::npos);
}

// The grid of n replicas is the squarest there is.
TEST(TwoLevel, AsksAboutFourTimesTheRootOfTheReplicas) {
  const SyncTraits& two_level = traits(*parse_sync_algorithm("two-level"));
  const SyncTraits& one_level = traits(SyncAlgorithm::pipelined);
  EXPECT_EQ(two_level.traffic(1e6, 64).gets, 2 * (8 + 8 - 2));
  EXPECT_EQ(one_level.traffic(1e6, 64).gets, 2 * 63);
  EXPECT_EQ(two_level.traffic(1e6, 12).gets, 2 * (3 + 4 - 2));
  EXPECT_EQ(two_level.traffic(1e6, 7).gets, one_level.traffic(1e6, 7).gets) << "a prime has one row";
}

}  // namespace
}  // namespace funcpipe
