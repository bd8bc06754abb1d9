// What decides the bits of a computation in this process, besides the number of threads.
#pragma once

#include <string>

namespace funcpipe {

// "libtorch 1.13.1, ATen AVX2, OpenBLAS 0.3.21 Haswell, oneDNN 2.6.3 AVX2": the libraries that compute, their versions
// and the instructions each of them uses here.
std::string numerics();

}  // namespace funcpipe
