#include "model/numerics.h"

#include <ATen/Version.h>
#include <dlfcn.h>
#include <fmt/format.h>
#include <torch/version.h>

#include <filesystem>
#include <string_view>

namespace funcpipe {
namespace {

// Returns a function of whichever library Debian's alternatives have chosen; nullptr if it has none of that name.
template <class Function>
Function* loaded(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_DEFAULT, name));
}

std::string aten() {
  const std::string config = at::show_config();
  constexpr std::string_view kMark = "CPU capability usage: ";
  const std::size_t found = config.find(kMark);
  if (found == std::string::npos) return "ATen";
  const std::size_t begin = found + kMark.size();
  return "ATen " + config.substr(begin, config.find('\n', begin) - begin);
}

std::string blas() {
  auto* const core = loaded<char*()>("openblas_get_corename");
  auto* const config = loaded<char*()>("openblas_get_config");
  if (core != nullptr && config != nullptr) {
    const std::string text = config();  // for example "OpenBLAS 0.3.21 NO_LAPACKE ..."
    const std::size_t name_end = text.find(' ');
    return fmt::format("{} {}", text.substr(0, text.find(' ', name_end + 1)), core());
  }
  ::Dl_info library{};
  if (::dladdr(::dlsym(RTLD_DEFAULT, "sgemm_"), &library) == 0 || library.dli_fname == nullptr) return "BLAS";
  std::error_code ignored;
  return "BLAS " + std::filesystem::canonical(library.dli_fname, ignored).filename().string();
}

std::string onednn() {
  struct Version {
    int major, minor, patch;
  };
  auto* const version = loaded<const Version*()>("dnnl_version");
  auto* const instructions = loaded<int()>("dnnl_get_effective_cpu_isa");
  if (version == nullptr || instructions == nullptr) return "oneDNN";
  const Version* found = version();
  return fmt::format("oneDNN {}.{}.{} instructions {:#x}", found->major, found->minor, found->patch, instructions());
}

}  // namespace

std::string numerics() {
  return fmt::format("libtorch {}, {}, {}, {}", TORCH_VERSION, aten(), blas(), onednn());
}

}  // namespace funcpipe
