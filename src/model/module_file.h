// Reads a TorchScript file as PyTorch saved it.
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <optional>
#include <set>
#include <string>

#include "base/error.h"

namespace funcpipe {

// TorchScript does not record which buffers were registered with persistent=False, so that they are not in the state
// dict. Whoever saves the module may add an extra file of this name with the names in the state dict, one on each line.
inline constexpr const char* kStateDictNames = "state_dict_names";

struct ModuleFile {
  torch::jit::Module module;
  std::optional<std::set<std::string>> state_dict;  // names in the state dict; nullopt: the file does not say
};

// Errors: not_found; invalid_input if the file is no TorchScript (the message says what it seems to be) or if its list
// names tensors that the module lacks.
Result<ModuleFile> read_module_file(const std::string& path);

}  // namespace funcpipe
