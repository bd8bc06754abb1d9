#include "base/compute_environment.h"

#include <algorithm>
#include <array>

namespace funcpipe {
namespace {

std::map<std::string, std::string> environment_of_this_processor() {
#if defined(__x86_64__)
  // OpenBLAS's kernels for Haswell compute right results on every processor with AVX2 and FMA. Its kernels for AVX-512
  // in version 0.3.21 do not.
  if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
    return {{"ATEN_CPU_CAPABILITY", "avx2"}, {"DNNL_MAX_CPU_ISA", "AVX2"}, {"OPENBLAS_CORETYPE", "Haswell"}};
  const bool avx = __builtin_cpu_supports("avx") != 0;
  return {{"ATEN_CPU_CAPABILITY", "default"},
          {"DNNL_MAX_CPU_ISA", avx ? "AVX" : "SSE41"},
          {"OPENBLAS_CORETYPE", avx                                     ? "Sandybridge"
                                : __builtin_cpu_supports("sse4.2") != 0 ? "Nehalem"
                                                                        : "Prescott"}};
#else
  return {};
#endif
}

}  // namespace

const std::map<std::string, std::string>& compute_environment() {
  static const std::map<std::string, std::string> environment = environment_of_this_processor();
  return environment;
}

bool decides_bits(std::string_view variable) {
  static constexpr std::array<std::string_view, 16> kPrefixes{
      "OPENBLAS_", "GOTO_", "GOTOBLAS_", "BLIS_", "NVPL_",  "MKL_",     "OMP_",     "GOMP_",
      "KMP_",      "DNNL_", "ONEDNN_",   "ATEN_", "TORCH_", "PYTORCH_", "XNNPACK_", "MKLDNN_"};
  static constexpr std::array<std::string_view, 3> kNames{"LD_PRELOAD", "LD_AUDIT", "GLIBC_TUNABLES"};
  return std::ranges::any_of(kPrefixes, [&](auto prefix) { return variable.starts_with(prefix); }) ||
         std::ranges::find(kNames, variable) != kNames.end();
}

std::vector<std::string> for_computing(const std::vector<std::string>& environment) {
  std::vector<std::string> kept;
  for (const std::string& assignment : environment)
    if (!decides_bits(std::string_view(assignment).substr(0, assignment.find('=')))) kept.push_back(assignment);
  for (const auto& [name, value] : compute_environment()) kept.push_back(name + "=" + value);
  return kept;
}

}  // namespace funcpipe
