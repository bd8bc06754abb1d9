// Which axis of a model's output holds the classes, by the shapes of output and target.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace funcpipe {

enum class ClassAxis {
  second,  // as torch.nn.functional.cross_entropy has it: [N, C, d1, ...] against [N, d1, ...]
  last,    // as a language model gives it: [N, d1, ..., C] against [N, d1, ...]; also [N, C] against [N]
  either,  // both fit, and would train different models
  neither
};

// Both shapes with the batch as dimension 0. `wanted`: JobConfig::Model::class_axis; where it is not auto, the answer
// is that axis or neither.
inline ClassAxis class_axis(const std::vector<std::int64_t>& output, const std::vector<std::int64_t>& target,
                            const std::string& wanted) {
  if (output.size() < 2 || target.size() + 1 != output.size()) return ClassAxis::neither;
  const auto fits_without = [&](std::size_t axis) {
    std::vector<std::int64_t> rest = output;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(axis));
    return rest == target;
  };
  const bool last = fits_without(output.size() - 1) && (wanted != "second" || output.size() == 2);
  if (output.size() == 2) return last ? ClassAxis::last : ClassAxis::neither;
  const bool second = fits_without(1) && wanted != "last";
  if (last && second) return ClassAxis::either;
  return last ? ClassAxis::last : second ? ClassAxis::second : ClassAxis::neither;
}

}  // namespace funcpipe
