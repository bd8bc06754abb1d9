#include "model/fingerprint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstring>

#include "base/random.h"
#include "model/tensor_type.h"

namespace funcpipe {

std::string fingerprint(const FlatModel& model, const std::vector<Border>& borders) {
  std::string text = model.graph->toString(/*print_source_locations=*/false);
  for (const auto& slot : model.slots) text += slot.name + to_string(spec_of(slot.tensor));
  for (const auto& border : borders) text += fmt::format(" {}", border.position);
  std::uint64_t digest = text.size();
  for (std::size_t i = 0; i < text.size(); i += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + i, std::min(sizeof word, text.size() - i));
    digest = mix(digest, {word});
  }
  return fmt::format("{:016x}", digest);
}

}  // namespace funcpipe
