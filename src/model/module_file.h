// A TorchScript file as PyTorch saved it.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <string>

#include "base/error.h"

namespace funcpipe {

// Errors: not_found; invalid_input for a file that is no TorchScript, saying what it seems to be instead.
Result<torch::jit::Module> read_module_file(const std::string& path);

}  // namespace funcpipe
