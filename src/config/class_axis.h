// Finds the axis of a model's output that holds the classes from the shapes of output and target. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace funcpipe {

enum class ClassAxis {
  second,  // Output [N, C, d1, ...] and target [N, d1, ...], as in torch.nn.functional.cross_entropy.
  last,    // Output [N, d1, ..., C] and target [N, d1, ...], as in a language model; also [N, C] and [N].
  either,  // Both axes fit the shapes, and the losses would differ.
  neither  // The shapes do not fit.
};

// Dimension 0 of both shapes is the batch. `wanted` is JobConfig::Model::class_axis. Unless it is "auto", the answer is
// that axis or neither; for an output [N, C], whose second axis is the last, the answer is `last` in any case.
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
