// Which variables of the environment decide the bits of a computation, and what they are wherever FuncPipe computes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace funcpipe {

// The environment that every process that touches a tensor runs in. The libraries are held to the instructions that
// machines of the last ten years share (AVX2 with FMA; on an older processor what it has), so that a job has the same
// bits wherever its functions land, and so that old versions of OpenBLAS do not take kernels for newer processors that
// are wrong there.
const std::map<std::string, std::string>& compute_environment();

// Whether a variable may change bits: settings of OpenBLAS, OpenMP, MKL, oneDNN, ATen, the C library's choice of
// functions, and libraries loaded before all others. Such a variable has the value above or is not set. LD_LIBRARY_PATH
// does not count: it says where the libraries are, and the job records which they are.
bool decides_bits(std::string_view variable);

// `environment` ("NAME=value") as it has to be for a computation.
std::vector<std::string> for_computing(const std::vector<std::string>& environment);

}  // namespace funcpipe
