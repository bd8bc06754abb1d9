#include "job/remarks.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "job/state_remarks.h"

namespace funcpipe {
namespace {

constexpr Bytes kMostRead = 256 * kMiB;
constexpr double kLargeTarget = 100;  // root mean square; a new model's outputs are near 1

struct Scale {
  double least = 0, greatest = 0;
  double root_mean_square = 0;
};

template <class Number>
Scale scale_of(const Column& column) {
  constexpr Bytes kSize = sizeof(Number);
  const std::int64_t elements = std::min(column.rows * column.row.bytes(), kMostRead) / kSize;
  Scale scale;
  double squares = 0;
  for (std::int64_t i = 0; i < elements; ++i) {
    Number stored = 0;
    std::memcpy(&stored, column.bytes.get() + i * kSize, sizeof stored);  // the file may have it unaligned
    const auto number = static_cast<double>(stored);
    if (i == 0) scale.least = scale.greatest = number;
    scale.least = std::min(scale.least, number);
    scale.greatest = std::max(scale.greatest, number);
    squares += number * number;
  }
  if (elements > 0) scale.root_mean_square = std::sqrt(squares / static_cast<double>(elements));
  return scale;
}

std::optional<Scale> scale_of(const Column& column) {
  const std::string& dtype = column.row.dtype;
  if (!column.bytes) return std::nullopt;
  if (dtype == "uint8") return scale_of<std::uint8_t>(column);
  if (dtype == "int8") return scale_of<std::int8_t>(column);
  if (dtype == "int16") return scale_of<std::int16_t>(column);
  if (dtype == "int32") return scale_of<std::int32_t>(column);
  if (dtype == "int64") return scale_of<std::int64_t>(column);
  if (dtype == "float32") return scale_of<float>(column);
  if (dtype == "float64") return scale_of<double>(column);
  return std::nullopt;
}

std::string unused_rows(const JobSpec& spec, const Datasets& data) {
  const std::int64_t rows = data.train.input.rows;
  const std::int64_t unused = rows - spec.steps_per_epoch * spec.plan.global_batch;
  if (unused == 0) return {};
  return fmt::format("{} of the {} training rows are left out of each epoch: it has {} global batch{} of {}{}", unused,
                     rows, spec.steps_per_epoch, spec.steps_per_epoch == 1 ? "" : "es", spec.plan.global_batch,
                     spec.config.data.shuffle ? ", and shuffling leaves out other rows each time" : ": the last ones");
}

void about_targets(const JobSpec& spec, const Column& target, std::vector<std::string>& said) {
  const std::string& file = spec.config.data.train_target;
  const auto scale = scale_of(target);
  if (target.row.dtype == "float64")
    said.push_back(fmt::format("the targets in {} are float64 and are compared as float32", file));
  if (!scale) return;
  const bool bytes = target.row.dtype == "uint8" && scale->greatest > 1;
  if (!bytes && scale->root_mean_square < kLargeTarget) return;
  said.push_back(
      fmt::format("the targets in {} reach from {:.6g} to {:.6g}{}, so the squared error of a fresh model is "
                  "about {:.2g}; scale them{} if the model gives numbers near 1",
                  file, scale->least, scale->greatest, bytes ? " (bytes are compared as they are)" : "",
                  scale->root_mean_square * scale->root_mean_square,
                  bytes ? ", as in (y / 255).astype(\"float32\")," : ", as in (y - y.mean()) / y.std(),"));
}

}  // namespace

std::vector<std::string> remarks(const JobSpec& spec, const Datasets& data) {
  std::vector<std::string> said;
  if (std::string rows = unused_rows(spec, data); !rows.empty()) said.push_back(std::move(rows));
  if (data.train.input.row.dtype == "uint8" && !spec.model.inputs.empty() &&
      spec.model.inputs.front().dtype == "float32")
    said.push_back(fmt::format("the model takes no bytes: those of {} are given to it as float32, 0.0 to 255.0",
                               spec.config.data.train_input));
  if (spec.config.model.loss == "mse") about_targets(spec, data.train.target, said);
  for (std::string& remark : state_remarks(spec)) said.push_back(std::move(remark));
  return said;
}

}  // namespace funcpipe
