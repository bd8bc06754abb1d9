#include "model/compute_threads.h"

#include <ATen/Parallel.h>
#include <dlfcn.h>

namespace funcpipe {

void set_compute_threads(int threads) {
  at::set_num_threads(threads);
  // Debian's alternatives choose the BLAS that libtorch uses. Only OpenBLAS has this function.
  static const auto set_blas_threads =
      reinterpret_cast<void (*)(int)>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set_blas_threads) set_blas_threads(threads);
}

}  // namespace funcpipe
