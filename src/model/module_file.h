// A TorchScript file as PyTorch saved it.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <optional>
#include <set>
#include <string>

#include "base/error.h"

namespace funcpipe {

// TorchScript does not keep which buffers were registered with persistent=False, and so are not in the module's state
// dict. Whoever saves the module may say it: an extra file of this name with the names in the state dict, one a line.
inline constexpr const char* kStateDictNames = "state_dict_names";

struct ModuleFile {
  torch::jit::Module module;
  std::optional<std::set<std::string>> state_dict;  // names in it; nullopt: the file does not say
};

// Errors: not_found; invalid_input for a file that is no TorchScript, saying what it seems to be instead, or whose
// state dict names tensors that the module lacks.
Result<ModuleFile> read_module_file(const std::string& path);

}  // namespace funcpipe
