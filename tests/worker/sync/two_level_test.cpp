// Two-level scatter-reduce: a job's weights are those of a plain loop that sums along rows, then along columns.
#include <ATen/ATen.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/memory_store.h"
#include "worker/plain_training.h"
#include "worker/test_models.h"

namespace funcpipe {
namespace {

using testing::Cutting;
using testing::Tensors;
using testing::Training;

constexpr SyncAlgorithm kTwoLevel("two-level");

// Place of the element at which part `index` of `count` begins.
std::int64_t border(std::int64_t elements, std::int64_t count, std::int64_t index) {
  return elements * index / count;
}

// Of replicas in rows of `columns`, each row one after the other.
testing::Summing in_grid(int rows, int columns) {
  return [=](const std::vector<at::Tensor>& flat) {
    at::Tensor merged = at::empty_like(flat[0]);
    const std::int64_t all = merged.numel();
    for (int c = 0; c < columns; ++c) {
      const std::int64_t begin = border(all, columns, c), size = border(all, columns, c + 1) - begin;
      for (int r = 0; r < rows; ++r) {
        const std::int64_t first = begin + border(size, rows, r), elements = begin + border(size, rows, r + 1) - first;
        const auto of_row = [&](int row) {
          at::Tensor sum;
          for (int k = 0; k < columns; ++k) {
            const int column = (c - k + columns) % columns;
            const at::Tensor part = flat[static_cast<std::size_t>(row * columns + column)].narrow(0, first, elements);
            sum = k == 0 ? part : sum + part;
          }
          return sum;
        };
        at::Tensor sum = of_row(r);
        for (int k = 1; k < rows; ++k) sum = sum + of_row((r - k + rows) % rows);
        merged.narrow(0, first, elements).copy_(sum);
      }
    }
    return merged;
  };
}

struct Case {
  int replicas, rows, columns;
};

class TwoLevel : public ::testing::TestWithParam<Case> {};

TEST_P(TwoLevel, TrainsToTheBitsOfASumInItsOrder) {
  const auto [replicas, rows, columns] = GetParam();
  for (const testing::TestModel& model : {testing::batch_norm_model(), testing::skip_model(), testing::gate_model()}) {
    const Training training{.model = model, .global_batch = 2 * replicas + 1, .micro_batch = 1, .steps = 4};
    for (const std::vector<int>& cuts : {std::vector<int>{}, std::vector<int>{1}}) {
      SCOPED_TRACE(fmt::format("{}, {} replicas, {} cuts", model.name, replicas, cuts.size()));
      const Cutting cutting{cuts, replicas, kTwoLevel, PipelineOrder::one_forward_one_backward};
      MemoryStore store;
      const auto trained = testing::train(training, cutting, store, std::numeric_limits<double>::infinity());
      ASSERT_TRUE(trained) << describe(trained.error());
      const Tensors expected = testing::train_in_order_of(training, cutting, in_grid(rows, columns));
      EXPECT_EQ(testing::first_difference(trained->tensors, expected), "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Grids, TwoLevel,
                         ::testing::Values(Case{2, 1, 2}, Case{3, 1, 3}, Case{4, 2, 2}, Case{6, 2, 3}, Case{9, 3, 3}),
                         [](const auto& info) { return fmt::format("{}x{}", info.param.rows, info.param.columns); });

}  // namespace
}  // namespace funcpipe
