#include "cli/profile_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "cli/table.h"

namespace funcpipe {
namespace {

constexpr std::size_t kShown = 10;  // layers

Table sizes_table(const Profile& profile, const MicroBatchProfile& at) {
  Table table;
  table.rows.push_back({"memory MB", "vCPUs", "threads", "forward", "backward", "cold start", "not fitting", "origin"});
  table.dropped = {"threads", "cold start"};
  for (std::size_t j = 0; j < profile.options.size(); ++j) {
    const OptionProfile& option = profile.options[j];
    Seconds forward = 0, backward = 0;
    int missing = 0;
    for (const LayerTime& time : at.times[j]) {
      forward += time.forward;
      backward += time.backward;
      missing += time.fits ? 0 : 1;
    }
    table.rows.push_back({std::to_string(option.memory_mb), fmt::format("{:.2f}", option.vcpus),
                          std::to_string(option.threads), format_seconds(forward), format_seconds(backward),
                          format_seconds(option.cold_start),
                          missing == 0 ? "" : fmt::format("{} layer{}", missing, missing == 1 ? "" : "s"),
                          option.origin == Origin::measured ? "measured" : "derived"});
  }
  return table;
}

// On the option where most layers fit.
std::size_t fullest_option(const MicroBatchProfile& at) {
  const auto fitting = [](const std::vector<LayerTime>& times) {
    return std::count_if(times.begin(), times.end(), [](const LayerTime& time) { return time.fits; });
  };
  std::size_t best = 0;
  for (std::size_t j = 1; j < at.times.size(); ++j)
    if (fitting(at.times[j]) > fitting(at.times[best])) best = j;
  return best;
}

Table layers_table(const Profile& profile, const MicroBatchProfile& at, std::size_t option) {
  const std::vector<LayerTime>& times = at.times[option];
  std::vector<int> order(times.size());
  std::iota(order.begin(), order.end(), 0);
  const auto seconds = [&](int i) { return times[i].forward + times[i].backward; };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return seconds(a) > seconds(b); });
  Seconds all = 0;
  for (const int i : order) all += seconds(i);
  Table table;
  table.rows.push_back({"layer", "forward", "backward", "share", "parameters", "activations", "border", "name"});
  table.dropped = {"border", "share"};
  table.words = 12;
  for (std::size_t row = 0; row < std::min(kShown, order.size()); ++row) {
    const int i = order[row];
    table.rows.push_back({std::to_string(i), format_seconds(times[i].forward), format_seconds(times[i].backward),
                          fmt::format("{:.0f}%", all > 0 ? 100 * seconds(i) / all : 0),
                          format_bytes(profile.trainable_bytes(i, i + 1)), format_bytes(at.sizes[i].activations),
                          format_bytes(at.sizes[i].border), profile.model.layers[i].name});
  }
  return table;
}

}  // namespace

std::string profile_report(const Profile& profile, int width) {
  std::string text;
  for (const MicroBatchProfile& at : profile.micro_batches) {
    const std::size_t option = fullest_option(at);
    text += fmt::format("{}, micro-batch {}: {} layers, {} of parameters\n{}\n", profile.model.source, at.micro_batch,
                        profile.layer_count(), format_bytes(profile.model.parameter_bytes()),
                        drawn(sizes_table(profile, at), width));
    if (&at != &profile.micro_batches.back()) continue;
    text += fmt::format("The {} that take longest on {} MB:\n{}\n",
                        std::min<std::size_t>(kShown, profile.model.layers.size()), profile.options[option].memory_mb,
                        drawn(layers_table(profile, at, option), width));
  }
  return text;
}

std::string profile_text(const Profile& profile) {
  const nlohmann::json json = to_json(profile);
  // Objects and lists of objects or lists are opened line by line, down to those of plain figures.
  const auto flat = [](const nlohmann::json& value) {
    return std::none_of(value.begin(), value.end(), [](const nlohmann::json& item) { return item.is_structured(); });
  };
  const auto write = [&](const auto& self, const nlohmann::json& value, std::string& out) -> void {
    if (!value.is_structured() || flat(value)) {
      out += value.dump();
      return;
    }
    out += value.is_object() ? "{" : "[";
    bool first = true;
    for (const auto& item : value.items()) {
      out += first ? "\n" : ",\n";
      first = false;
      if (value.is_object()) out += nlohmann::json(item.key()).dump() + ": ";
      self(self, item.value(), out);
    }
    out += value.is_object() ? "}" : "]";
  };
  std::string text;
  write(write, json, text);
  return text + "\n";
}

}  // namespace funcpipe
