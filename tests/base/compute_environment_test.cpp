#include "base/compute_environment.h"

#include <gmock/gmock.h>

namespace funcpipe {
namespace {

using ::testing::Contains;
using ::testing::Not;

TEST(ComputeEnvironment, DropsWhatDecidesBitsAndSetsItsOwn) {
  const auto environment =
      for_computing({"PATH=/bin", "OPENBLAS_CORETYPE=Prescott", "OMP_NUM_THREADS=3", "LD_PRELOAD=/lib/a.so",
                     "LD_LIBRARY_PATH=/lib", "MKL_CBWR=COMPATIBLE", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2", "EMPTY="});
  for (const char* kept : {"PATH=/bin", "LD_LIBRARY_PATH=/lib", "EMPTY="}) EXPECT_THAT(environment, Contains(kept));
  for (const char* dropped : {"OPENBLAS_CORETYPE=Prescott", "OMP_NUM_THREADS=3", "LD_PRELOAD=/lib/a.so",
                              "MKL_CBWR=COMPATIBLE", "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2"})
    EXPECT_THAT(environment, Not(Contains(dropped)));
  for (const auto& [name, value] : compute_environment()) EXPECT_THAT(environment, Contains(name + "=" + value));
  EXPECT_EQ(for_computing(environment), environment) << "once is enough";
}

TEST(ComputeEnvironment, KnowsTheVariablesOfTheLibraries) {
  for (const char* name : {"OPENBLAS_NUM_THREADS", "DNNL_MAX_CPU_ISA", "ONEDNN_DEFAULT_FPMATH_MODE", "KMP_BLOCKTIME",
                           "ATEN_CPU_CAPABILITY", "GOMP_CPU_AFFINITY", "PYTORCH_JIT", "LD_AUDIT"})
    EXPECT_TRUE(decides_bits(name)) << name;
  for (const char* name : {"HOME", "AWS_REGION", "FUNCPIPE_WORKER", "LD_LIBRARY_PATH", "COMPILER"})
    EXPECT_FALSE(decides_bits(name)) << name;
  for (const auto& [name, value] : compute_environment()) EXPECT_TRUE(decides_bits(name)) << name;
}

}  // namespace
}  // namespace funcpipe
