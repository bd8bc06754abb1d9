#include "cli/profile_report.h"

#include <algorithm>
#include <numeric>

#include "base/counted.h"
#include "cli/table.h"

namespace funcpipe {
namespace {

constexpr std::size_t kShown = 10;  // how many layers are listed

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
                          format_seconds(option.cold_start), missing == 0 ? "" : counted(missing, "layer"),
                          option.origin == Origin::measured ? "measured" : "derived"});
  }
  return table;
}

// Returns the option that can hold most layers; of equals a measured one, and of those the largest.
std::size_t fullest_option(const Profile& profile, const MicroBatchProfile& at) {
  const auto fitting = [](const std::vector<LayerTime>& times) {
    return std::count_if(times.begin(), times.end(), [](const LayerTime& time) { return time.fits; });
  };
  std::size_t best = 0;
  const auto rank = [&](std::size_t j) {
    return std::pair(fitting(at.times[j]), profile.options[j].origin == Origin::measured);
  };
  for (std::size_t j = 1; j < at.times.size(); ++j)
    if (rank(j) >= rank(best)) best = j;
  return best;
}

// Returns the `kShown` layers with the greatest values of `key`.
template <class Key>
std::vector<int> heaviest(const Profile& profile, const Key& key) {
  std::vector<int> order(profile.model.layers.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return key(a) > key(b); });
  order.resize(std::min(order.size(), kShown));
  return order;
}

Table slow_layers(const Profile& profile, const std::vector<LayerTime>& times) {
  const auto seconds = [&](int i) { return times[i].forward + times[i].backward; };
  Seconds all = 0;
  for (int i = 0; i < profile.layer_count(); ++i) all += seconds(i);
  Table table;
  table.rows.push_back({"layer", "forward", "backward", "share", "spread", "name"});
  table.dropped = {"spread"};
  table.words = 12;
  for (const int i : heaviest(profile, seconds)) {
    const double spread = times[i].forward_spread + times[i].backward_spread;
    table.rows.push_back({std::to_string(i), format_seconds(times[i].forward), format_seconds(times[i].backward),
                          fmt::format("{:.0f}%", all > 0 ? 100 * seconds(i) / all : 0),
                          fmt::format("{:.0f}%", seconds(i) > 0 ? 100 * spread / seconds(i) : 0),
                          profile.model.layers[i].name});
  }
  return table;
}

Table large_layers(const Profile& profile, const MicroBatchProfile& at) {
  const auto bytes = [&](int i) { return profile.trainable_bytes(i, i + 1) + at.sizes[i].activations; };
  Table table;
  table.rows.push_back({"layer", "parameters", "activations", "working", "border", "name"});
  table.dropped = {"border", "working"};
  table.words = 12;
  for (const int i : heaviest(profile, bytes))
    table.rows.push_back({std::to_string(i), format_bytes(profile.trainable_bytes(i, i + 1)),
                          format_bytes(at.sizes[i].activations), format_bytes(at.sizes[i].working),
                          format_bytes(at.sizes[i].border), profile.model.layers[i].name});
  return table;
}

}  // namespace

std::string profile_report(const Profile& profile, int width) {
  std::string text;
  for (const MicroBatchProfile& at : profile.micro_batches) {
    const std::size_t option = fullest_option(profile, at);
    text += fmt::format("{}, micro-batch {}: {}, {} of parameters\n{}\n", profile.model.source, at.micro_batch,
                        counted(profile.layer_count(), "layer"), format_bytes(profile.model.parameter_bytes()),
                        drawn(sizes_table(profile, at), width));
    if (&at != &profile.micro_batches.back()) continue;
    text += fmt::format("What takes longest on {} MB with {:.3g} vCPUs:\n{}\nWhat takes the most memory:\n{}\n",
                        profile.options[option].memory_mb, profile.options[option].vcpus,
                        drawn(slow_layers(profile, at.times[option]), width), drawn(large_layers(profile, at), width));
  }
  return text;
}

}  // namespace funcpipe
