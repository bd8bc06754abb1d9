#include "job/state_remarks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace funcpipe {
namespace {

// Returns "a, b, c and 7 more".
std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  const std::vector<std::string> shown(names.begin(), names.begin() + std::min(kShown, names.size()));
  std::string text = fmt::format("{}", fmt::join(shown, ", "));
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

}  // namespace

std::vector<std::string> state_remarks(const JobSpec& spec) {
  std::vector<std::string> said;
  std::vector<std::string> shared;
  Bytes bytes = 0;
  for (const LayerDescription& layer : spec.model.layers) {
    shared.insert(shared.end(), layer.shared_state.begin(), layer.shared_state.end());
    bytes += layer.shared_state_bytes;
  }
  const int others = spec.plan.replicas - 1;
  if (!shared.empty() && others > 0)
    said.push_back(
        fmt::format("the loss depends on state that forward changes ({}): before each iteration replica 0 sends it "
                    "to the other{}, {} up and {} down",
                    listed(shared), others == 1 ? "" : fmt::format(" {}", others), format_bytes(bytes),
                    format_bytes(bytes * others)));
  if (const auto& unsure = spec.model.perhaps_not_in_state_dict; !unsure.empty())
    said.push_back(
        fmt::format("state_dict.pt will hold the buffer{} {}, perhaps more than the class's own state dict: "
                    "TorchScript does not keep persistent=False; save the model with the names of its state dict "
                    "(python/save_model.py), or load with strict=False",
                    unsure.size() == 1 ? "" : "s", listed(unsure)));
  return said;
}

}  // namespace funcpipe
