#include "model/stage_file.h"

#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/serialization/export.h>
#include <torch/csrc/jit/serialization/import.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "model/torch_error.h"

namespace funcpipe {
namespace {

constexpr const char* kManifestName = "funcpipe-stage.json";
constexpr std::string_view kFormat = "funcpipe-stage";

using Json = nlohmann::json;

class MemoryReader final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit MemoryReader(std::string_view bytes) : bytes_(bytes) {}
  std::size_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t position, void* buffer, std::size_t size, const char*) const override {
    if (position >= bytes_.size()) return 0;
    const auto piece = bytes_.substr(position, size);
    std::memcpy(buffer, piece.data(), piece.size());
    return piece.size();
  }

 private:
  std::string_view bytes_;
};

Json tensors_to_json(const std::vector<StageManifest::Tensor>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors) {
    list.push_back({{"name", tensor.name},
                    {"attribute", tensor.attribute},
                    {"index", tensor.index},
                    {"trainable", tensor.trainable},
                    {"changes", tensor.changes},
                    {"feeds_loss", tensor.feeds_loss}});
  }
  return list;
}

std::vector<StageManifest::Tensor> tensors_from_json(const Json& list) {
  std::vector<StageManifest::Tensor> tensors;
  for (const auto& item : list) {
    tensors.push_back({item.at("name"), item.at("attribute"), item.at("index"), item.at("trainable"),
                       item.at("changes"), item.at("feeds_loss")});
  }
  return tensors;
}

Json to_json(const StageManifest& manifest) {
  Json layers = Json::array();
  for (const auto& layer : manifest.layers) {
    layers.push_back({{"index", layer.index},
                      {"method", layer.method},
                      {"data_inputs", layer.data_inputs},
                      {"random", layer.random}});
  }
  return {{"format", kFormat},
          {"version", StageManifest::kVersion},
          {"fingerprint", manifest.fingerprint},
          {"first_layer", manifest.first_layer},
          {"end_layer", manifest.end_layer},
          {"layers", std::move(layers)},
          {"parameters", tensors_to_json(manifest.parameters)},
          {"buffers", tensors_to_json(manifest.buffers)}};
}

StageManifest manifest_from_json(const Json& json) {
  StageManifest manifest;
  manifest.fingerprint = json.at("fingerprint");
  manifest.first_layer = json.at("first_layer");
  manifest.end_layer = json.at("end_layer");
  for (const auto& item : json.at("layers")) {
    manifest.layers.push_back(
        {item.at("index"), item.at("method"), item.at("data_inputs").get<std::vector<int>>(), item.at("random")});
  }
  manifest.parameters = tensors_from_json(json.at("parameters"));
  manifest.buffers = tensors_from_json(json.at("buffers"));
  return manifest;
}

}  // namespace

Result<std::string> write_stage_file(const torch::jit::Module& module, const StageManifest& manifest) {
  std::string archive;
  const auto append = [&](const void* data, std::size_t size) {
    archive.append(static_cast<const char*>(data), size);
    return size;
  };
  try {
    torch::jit::ExportModule(module, append, {{kManifestName, to_json(manifest).dump()}});
  } catch (const std::exception& error) {
    return fail(ErrorCode::failed, "a stage of the model cannot be written: " + first_lines(error));
  }
  return archive;
}

Result<StageFile> read_stage_file(std::string_view archive) {
  torch::jit::ExtraFilesMap extra{{kManifestName, ""}};
  try {
    StageFile file{torch::jit::load(std::make_shared<MemoryReader>(archive), c10::nullopt, extra), {}};
    const auto json = Json::parse(extra[kManifestName]);
    if (json.value("format", "") != kFormat) return fail(ErrorCode::corrupt, "not a stage file");
    if (const int version = json.value("version", 0); version != StageManifest::kVersion) {
      return fail(ErrorCode::corrupt,
                  fmt::format("stage file of format version {}, this program reads version {}", version,
                              StageManifest::kVersion),
                  {}, "cut the model again with this release of funcpipe-worker");
    }
    file.manifest = manifest_from_json(json);
    return file;
  } catch (const std::exception& error) {
    return fail(ErrorCode::corrupt,
                fmt::format("a stage file of {} bytes cannot be read: {}", archive.size(), first_lines(error)));
  }
}

}  // namespace funcpipe
