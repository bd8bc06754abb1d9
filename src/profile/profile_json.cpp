// Reads and writes profiles in the format of docs/formats/profile.md. Unknown keys are refused, and every figure is
// checked.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>
#include <tuple>

#include "base/files.h"
#include "profile/json_reader.h"
#include "profile/profile.h"

namespace funcpipe {
namespace {

using nlohmann::json;

constexpr const char* kFormat = "funcpipe-profile";
constexpr const char* kRemedy = "make it again with funcpipe profile; docs/formats/profile.md lists the keys";
using Reader = JsonReader;

// Rounds to five significant digits. Further digits would be noise.
double rounded(double figure) {
  return std::strtod(fmt::format("{:.5g}", figure).c_str(), nullptr);
}

json to_json(const LayerTime& time) {
  if (!time.fits) return {{"fits", false}};
  json value = {{"forward", rounded(time.forward)},
                {"backward", rounded(time.backward)},
                {"forward_spread", rounded(time.forward_spread)},
                {"backward_spread", rounded(time.backward_spread)}};
  if (time.warm_up > 0) value["warm_up"] = rounded(time.warm_up);
  return value;
}

json to_json(const LayerSizes& sizes) {
  return {{"activations", sizes.activations},
          {"working", sizes.working},
          {"border", sizes.border},
          {"border_gradient", sizes.border_gradient}};
}

json to_json(const OptionProfile& option) {
  return {{"memory_mb", option.memory_mb},
          {"vcpus", option.vcpus},
          {"threads", option.threads},
          {"origin", option.origin == Origin::measured ? "measured" : "derived"},
          {"cold_start", rounded(option.cold_start)},
          {"update_per_byte", rounded(option.update_per_byte)},
          {"transfer_cpu_per_byte", rounded(option.transfer_cpu_per_byte)},
          {"transfer_cpu_per_request", rounded(option.transfer_cpu_per_request)}};
}

json to_json(const MicroBatchProfile& at) {
  json sizes = json::array(), times = json::array();
  for (const LayerSizes& layer : at.sizes) sizes.push_back(to_json(layer));
  for (const auto& option : at.times) {
    json& row = times.emplace_back(json::array());
    for (const LayerTime& layer : option) row.push_back(to_json(layer));
  }
  return {{"micro_batch", at.micro_batch}, {"sizes", std::move(sizes)}, {"times", std::move(times)}};
}

LayerTime read_time(Reader& reader, const json& value, const std::string& path) {
  LayerTime time;
  if (value.is_object() && value.contains("fits")) {
    if (!value.at("fits").is_boolean()) reader.wrong(path + ".fits", "expected true or false");
    if (value.at("fits") == false) {
      reader.keys(value, {"fits"}, path);
      time.fits = false;
      return time;
    }
    reader.wrong(path + ".fits", "only a layer that does not fit says so", "leave \"fits\": true out");
    return time;
  }
  const bool warms_up = value.is_object() && value.contains("warm_up");  // zero is not written
  if (!reader.keys(value, {"forward", "backward", "forward_spread", "backward_spread"}, path, {"warm_up"})) return time;
  time.forward = reader.figure(value, "forward", path);
  time.backward = reader.figure(value, "backward", path);
  time.forward_spread = reader.figure(value, "forward_spread", path);
  time.backward_spread = reader.figure(value, "backward_spread", path);
  if (warms_up) time.warm_up = reader.figure(value, "warm_up", path);
  return time;
}

LayerSizes read_sizes(Reader& reader, const json& value, const std::string& path) {
  LayerSizes sizes;
  if (!reader.keys(value, {"activations", "working", "border", "border_gradient"}, path)) return sizes;
  sizes.activations = reader.whole(value, "activations", path, 0, Reader::kMostBytes);
  sizes.working = reader.whole(value, "working", path, 0, Reader::kMostBytes);
  sizes.border = reader.whole(value, "border", path, 0, Reader::kMostBytes);
  sizes.border_gradient = reader.whole(value, "border_gradient", path, 0, Reader::kMostBytes);
  return sizes;
}

OptionProfile read_option(Reader& reader, const json& value, const std::string& path) {
  OptionProfile option;
  if (!reader.keys(value,
                   {"memory_mb", "vcpus", "threads", "origin", "cold_start", "update_per_byte", "transfer_cpu_per_byte",
                    "transfer_cpu_per_request"},
                   path))
    return option;
  option.memory_mb = static_cast<int>(reader.whole(value, "memory_mb", path, 1, Reader::kMostInt));
  option.vcpus = reader.figure(value, "vcpus", path, true);
  option.threads = static_cast<int>(reader.whole(value, "threads", path, 1, 100000));
  const std::string origin = reader.text(value, "origin", path);
  if (origin != "measured" && origin != "derived")
    reader.wrong(path + ".origin", fmt::format("expected \"measured\" or \"derived\", found \"{}\"", origin));
  option.origin = origin == "derived" ? Origin::derived : Origin::measured;
  option.cold_start = reader.figure(value, "cold_start", path);
  option.update_per_byte = reader.figure(value, "update_per_byte", path);
  option.transfer_cpu_per_byte = reader.figure(value, "transfer_cpu_per_byte", path);
  option.transfer_cpu_per_request = reader.figure(value, "transfer_cpu_per_request", path);
  return option;
}

MicroBatchProfile read_micro_batch(Reader& reader, const json& value, const std::string& path, int layers,
                                   std::ptrdiff_t options) {
  MicroBatchProfile at;
  if (!reader.keys(value, {"micro_batch", "sizes", "times"}, path)) return at;
  at.micro_batch = static_cast<int>(reader.whole(value, "micro_batch", path, 1, Reader::kMostInt));
  const json& sizes = reader.list(value.at("sizes"), path + ".sizes", layers, "layers");
  for (std::size_t layer = 0; layer < sizes.size(); ++layer)
    at.sizes.push_back(read_sizes(reader, sizes[layer], fmt::format("{}.sizes[{}]", path, layer)));
  const json& times = reader.list(value.at("times"), path + ".times", options, "options");
  for (std::size_t option = 0; option < times.size(); ++option) {
    const std::string row_path = fmt::format("{}.times[{}]", path, option);
    const json& row = reader.list(times[option], row_path, layers, "layers");
    auto& read = at.times.emplace_back();
    for (std::size_t layer = 0; layer < row.size(); ++layer)
      read.push_back(read_time(reader, row[layer], fmt::format("{}[{}]", row_path, layer)));
  }
  return at;
}

// Writes a value in one line if it fits into `width` columns, otherwise each of its members on a line of its own.
void write_lines(const json& value, std::size_t indent, std::size_t width, std::string& text) {
  const std::string line = value.dump();
  if (!value.is_structured() || line.size() + indent <= width) {
    text += line;
    return;
  }
  text += value.is_object() ? "{" : "[";
  bool first = true;
  for (const auto& item : value.items()) {
    text += first ? "\n" : ",\n";
    text.append(indent + 1, ' ');
    if (value.is_object()) text += json(item.key()).dump() + ": ";
    write_lines(item.value(), indent + 1, width, text);
    first = false;
  }
  text += "\n";
  text.append(indent, ' ');
  text += value.is_object() ? "}" : "]";
}

}  // namespace

json to_json(const Profile& profile) {
  json options = json::array(), micro_batches = json::array();
  for (const OptionProfile& option : profile.options) options.push_back(to_json(option));
  for (const MicroBatchProfile& at : profile.micro_batches) micro_batches.push_back(to_json(at));
  json value = {{"format", kFormat},
                {"version", Profile::kVersion},
                {"model", to_json(profile.model)},
                {"platform", profile.platform},
                {"machine", profile.machine},
                {"date", profile.date},
                {"optimizer", profile.optimizer},
                {"vcpu_speed", profile.vcpu_speed},
                {"parallel_efficiency", rounded(profile.parallel_efficiency)},
                {"base_memory", profile.base_memory},
                {"options", std::move(options)},
                {"micro_batches", std::move(micro_batches)}};
  if (profile.vcpu_speed_given) value["vcpu_speed_given"] = true;
  return value;
}

Result<Profile> profile_from_json(const json& value, const std::string& place) {
  if (!value.is_object() || value.value("format", json()) != kFormat)
    return fail(ErrorCode::invalid_input, fmt::format("this is no profile: \"format\" is not \"{}\"", kFormat), place,
                "make one with funcpipe profile MODEL --platform P");
  if (const json version = value.value("version", json()); version != Profile::kVersion)
    return fail(ErrorCode::invalid_input,
                fmt::format("profile format version {}, this program reads version {}",
                            version.dump(-1, ' ', true, json::error_handler_t::replace), Profile::kVersion),
                place, "make the profile again with this version of funcpipe");
  Reader reader(place, kRemedy);
  Profile profile;
  const bool says_given = value.contains("vcpu_speed_given");  // false is not written
  if (!reader.keys(value,
                   {"format", "version", "model", "platform", "machine", "date", "optimizer", "vcpu_speed",
                    "parallel_efficiency", "base_memory", "options", "micro_batches"},
                   "", {"vcpu_speed_given"}))
    return tl::unexpected(*reader.error());
  FUNCPIPE_TRY(model, model_description_from_json(value.at("model"), place + ": model"));
  profile.model = std::move(model);
  profile.platform = reader.text(value, "platform", "");
  profile.machine = reader.text(value, "machine", "");
  profile.date = reader.text(value, "date", "");
  profile.optimizer = reader.text(value, "optimizer", "");
  profile.vcpu_speed = reader.figure(value, "vcpu_speed", "", true);
  if (says_given) profile.vcpu_speed_given = reader.flag(value, "vcpu_speed_given", "");
  profile.parallel_efficiency = reader.figure(value, "parallel_efficiency", "");
  profile.base_memory = reader.whole(value, "base_memory", "", 0, Reader::kMostBytes);

  const json& options = reader.list(value.at("options"), "options", -1, "options");
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string path = fmt::format("options[{}]", i);
    profile.options.push_back(read_option(reader, options[i], path));
    if (i == 0) continue;
    const OptionProfile &before = profile.options[i - 1], &here = profile.options[i];
    if (std::tie(before.memory_mb, before.vcpus) >= std::tie(here.memory_mb, here.vcpus))
      reader.wrong(path, fmt::format("options must ascend by memory, then vCPUs; {} MB comes after {} MB",
                                     here.memory_mb, before.memory_mb));
  }
  const json& sizes = reader.list(value.at("micro_batches"), "micro_batches", -1, "micro-batch sizes");
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string path = fmt::format("micro_batches[{}]", i);
    profile.micro_batches.push_back(
        read_micro_batch(reader, sizes[i], path, profile.layer_count(), std::ssize(profile.options)));
    if (i > 0 && profile.micro_batches[i - 1].micro_batch >= profile.micro_batches[i].micro_batch)
      reader.wrong(path + ".micro_batch", "micro-batch sizes must ascend");
  }
  if (reader.error()) return tl::unexpected(*reader.error());
  return profile;
}

Result<Profile> load_profile(const std::filesystem::path& file) {
  auto value = read_json(file);
  if (!value) {
    value.error().code = ErrorCode::invalid_input;
    if (value.error().hint.empty()) value.error().hint = "make a profile with funcpipe profile MODEL --platform P";
    return tl::unexpected(value.error());
  }
  return profile_from_json(*value, file.string());
}

Result<> save_profile(const Profile& profile, const std::filesystem::path& file) {
  std::string text;
  constexpr std::size_t kWidth = 240;
  write_lines(to_json(profile), 0, kWidth, text);
  return write_file(file, text + "\n");
}

}  // namespace funcpipe
