// What is measured of a function besides layers. Machines are busy: bounds are wide.
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>

#include "base/clock.h"
#include "measure/cpu_rate.h"
#include "measure/measure_transfer.h"
#include "measure/measure_update.h"
#include "model/compute_threads.h"
#include "store/memory_store.h"

namespace funcpipe {
namespace {

TEST(CpuRate, IsAtLeastOne) {
  const double rate = wall_seconds_per_cpu_second();
  EXPECT_GE(rate, 1);
  EXPECT_LT(rate, 50);
}

// Matrix products once had threads of their own, whose CPU seconds the computing thread's clock does not see.
TEST(ComputeThreads, HoldMatrixProductsToo) {
  set_compute_threads(1);
  const at::Tensor a = at::randn({700, 700});
  static_cast<void>(a.matmul(a));
  const Seconds process = process_cpu_time(), thread = thread_cpu_time();
  for (int i = 0; i < 5; ++i) static_cast<void>(a.matmul(a));
  const Seconds all = process_cpu_time() - process, own = thread_cpu_time() - thread;
  EXPECT_LT(all, 1.2 * own);
}

TEST(MeasureUpdate, CountsTheStepPerByte) {
  int steps = 0;
  Bytes bytes = 0;
  const MakeStep make = [&](std::vector<at::Tensor> parameters) -> std::function<void()> {
    for (const at::Tensor& parameter : parameters) bytes += static_cast<Bytes>(parameter.nbytes());
    return [&steps, parameters] {
      ++steps;
      for (const at::Tensor& parameter : parameters) parameter.detach().sub_(parameter.grad());
    };
  };
  const Seconds per_byte = update_seconds_per_byte(make, 4 * kMiB, false);
  EXPECT_EQ(bytes, 4 * kMiB);
  EXPECT_GE(steps, 4);
  EXPECT_GT(per_byte, 1e-12);  // 1 TB/s
  EXPECT_LT(per_byte, 1e-7);   // 10 MB/s
}

TEST(MeasureTransfer, LeavesNothingBehind) {
  MemoryStore store;
  const auto cost = measure_transfer(store, "trial", kMiB);
  ASSERT_TRUE(cost);
  EXPECT_GT(cost->per_byte, 0);
  EXPECT_GE(cost->per_request, 0);
  EXPECT_LT(cost->per_byte, 1e-6);
  EXPECT_TRUE(store.list("")->empty());
}

}  // namespace
}  // namespace funcpipe
