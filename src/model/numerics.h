// Describes what decides the bits of a computation in this process, apart from the number of threads.
#pragma once

#include <string>

namespace funcpipe {

// Names the libraries that compute, their versions and the instructions each uses here, such as "libtorch 1.13.1, ATen
// AVX2, OpenBLAS 0.3.21 Haswell, oneDNN 2.6.3 AVX2".
std::string numerics();

}  // namespace funcpipe
