#include "job/profiling_progress.h"

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json_complaint.h"

namespace funcpipe {
namespace {

template <class Map, class Key>
auto find(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

ProfilingProgress::Size size_from_json(const nlohmann::json& row) {
  return {{row.at("memory_mb"), row.value("vcpus", 0.0)}, row.at("threads")};
}

}  // namespace

Result<ProfilingProgress> ProfilingProgress::open(const std::filesystem::path& file, const std::string& settings) {
  ProfilingProgress results;
  results.file_ = file;
  results.settings_ = settings;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return results;
  FUNCPIPE_TRY(json, read_json(file));
  const auto same = json.find("settings");
  if (same == json.end() || *same != settings) return results;
  try {
    for (const auto& row : json.at("options")) {
      FUNCPIPE_TRY(option, option_measurement_from_json(row.at("option"), file.string()));
      results.add(size_from_json(row), option);
    }
    for (const auto& row : json.at("layers")) {
      FUNCPIPE_TRY(layer, layer_measurement_from_json(row.at("figures"), file.string()));
      results.add(Key{size_from_json(row), row.at("micro_batch"), row.at("layer")}, layer);
    }
  } catch (const nlohmann::json::exception& error) {
    return fail(ErrorCode::corrupt, "not the results of a profiling run: " + json_complaint(error), file.string(),
                "delete it to measure anew");
  }
  return results;
}

const OptionMeasurement* ProfilingProgress::option(Size size) const {
  return find(options_, size);
}
const LayerMeasurement* ProfilingProgress::layer(const Key& key) const {
  return find(layers_, key);
}

const LayerMeasurement* ProfilingProgress::fitting(int micro_batch, int layer) const {
  for (const auto& [key, measured] : layers_)
    if (std::get<1>(key) == micro_batch && std::get<2>(key) == layer && measured.time.fits) return &measured;
  return nullptr;
}

Result<> ProfilingProgress::save() const {
  nlohmann::json options = nlohmann::json::array(), layers = nlohmann::json::array();
  for (const auto& [size, option] : options_)
    options.push_back({{"memory_mb", size.function.memory_mb},
                       {"vcpus", size.function.vcpus},
                       {"threads", size.threads},
                       {"option", to_json(option)}});
  for (const auto& [key, layer] : layers_) {
    const auto& [size, micro_batch, index] = key;
    layers.push_back({{"memory_mb", size.function.memory_mb},
                      {"vcpus", size.function.vcpus},
                      {"threads", size.threads},
                      {"micro_batch", micro_batch},
                      {"layer", index},
                      {"figures", to_json(layer)}});
  }
  const nlohmann::json json{{"settings", settings_}, {"options", std::move(options)}, {"layers", std::move(layers)}};
  return write_file(file_, json.dump());
}

}  // namespace funcpipe
