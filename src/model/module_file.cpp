#include "model/module_file.h"

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/version.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "model/torch_error.h"

namespace funcpipe {
namespace {

constexpr const char* kHowToSave =
    "in Python: torch.jit.script(model).save(path), or torch.jit.trace(model, example).save(path)";

// Says what kind of file it seems to be instead of a TorchScript archive; empty if it is one.
std::string other_kind(const std::string& path) {
  std::array<char, 512> head{};
  std::ifstream file(path, std::ios::binary);
  file.read(head.data(), head.size());
  const std::string_view start(head.data(), static_cast<std::size_t>(file.gcount()));
  if (start.empty()) return "an empty file";
  if (start.starts_with("PK")) {
    try {
      caffe2::serialize::PyTorchStreamReader reader(path);
      const auto records = reader.getAllRecords();
      const auto is_code = [](const std::string& record) { return record.starts_with("code/"); };
      if (std::ranges::any_of(records, is_code)) return {};
      return "a state dict or pickled module (torch.save), which holds weights but not the computation";
    } catch (const std::exception&) {
      return "a damaged or foreign zip archive";
    }
  }
  if (start.front() == '\x80') return "a pickle, perhaps a state dict or module saved by an old torch.save";
  if (start.size() > 9 && start.substr(8).starts_with('{') && start[6] == 0 && start[7] == 0)
    return "a safetensors file (weights only)";
  const bool text = std::ranges::all_of(start, [](char c) {
    return std::isprint(static_cast<unsigned char>(c)) || std::isspace(static_cast<unsigned char>(c));
  });
  return text ? "a text file" : "a file of an unknown kind";
}

}  // namespace

Result<ModuleFile> read_module_file(const std::string& path) {
  std::error_code status;
  if (!std::filesystem::exists(path, status)) return fail(ErrorCode::not_found, "the model file does not exist", path);
  if (!std::filesystem::is_regular_file(path, status)) {
    return fail(ErrorCode::invalid_input, "the model must be a TorchScript file, and this is a folder or device", path,
                kHowToSave);
  }
  if (!std::ifstream(path))
    return fail(ErrorCode::permission_denied, "the model file cannot be opened for reading", path);
  if (const auto kind = other_kind(path); !kind.empty()) {
    return fail(ErrorCode::invalid_input, "this is not a TorchScript file but seems to be " + kind, path, kHowToSave);
  }
  try {
    torch::jit::ExtraFilesMap extra{{kStateDictNames, ""}};
    ModuleFile file{torch::jit::load(path, c10::nullopt, extra), {}};
    if (extra[kStateDictNames].empty()) return file;
    std::set<std::string> known;
    for (const auto& parameter : file.module.named_parameters()) known.insert(parameter.name);
    for (const auto& buffer : file.module.named_buffers()) known.insert(buffer.name);
    file.state_dict.emplace();
    std::istringstream lines(extra[kStateDictNames]);
    for (std::string name; std::getline(lines, name);) {
      if (!known.contains(name)) {
        return fail(ErrorCode::invalid_input,
                    fmt::format("its list {} has {}, which the module lacks", kStateDictNames, name), path,
                    "save it with the names of model.state_dict() (python/save_model.py)");
      }
      file.state_dict->insert(std::move(name));
    }
    return file;
  } catch (const std::exception& error) {
    return fail(
        ErrorCode::invalid_input, "the TorchScript file cannot be loaded: " + first_lines(error), path,
        fmt::format("save it again with PyTorch {0}.{1} or older, or without operators that libtorch {0}.{1} lacks",
                    TORCH_VERSION_MAJOR, TORCH_VERSION_MINOR));
  }
}

}  // namespace funcpipe
