// Some environment variables change the bits of a computation's result, because libraries choose other kernels by them.
// This file fixes their values for every process in which FuncPipe computes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace funcpipe {

// Returns the variables, with their values, that every process that computes with tensors runs with. They hold the
// libraries to AVX2 with FMA, which x86-64 processors of the last ten years share; an older processor uses what it has.
// A job therefore gives the same bits wherever its functions run, and OpenBLAS 0.3.21 does not take its kernels for
// AVX-512, which compute wrong results.
const std::map<std::string, std::string>& compute_environment();

// Returns whether a variable may change bits. Such variables are the settings of OpenBLAS, OpenMP, MKL, oneDNN, ATen
// and other libraries PyTorch computes with, GLIBC_TUNABLES, LD_PRELOAD and LD_AUDIT. In a computing process such a
// variable has its value from compute_environment() or is not set. LD_LIBRARY_PATH is not among them: it says where the
// libraries are, and the job records which libraries it used.
bool decides_bits(std::string_view variable);

// Returns `environment` (entries "NAME=value") as a computing process needs it: without the variables that decide bits,
// then with those of compute_environment().
std::vector<std::string> for_computing(const std::vector<std::string>& environment);

}  // namespace funcpipe
