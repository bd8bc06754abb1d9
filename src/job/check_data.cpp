#include "job/check_data.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/counted.h"

namespace funcpipe {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr const char* kOwnLossHint = "if its output is the loss already, set loss = \"model\" in [model]";

std::string shape_text(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Shape without_batch(const Shape& shape) {
  return {shape.begin() + std::min<std::ptrdiff_t>(1, std::ssize(shape)), shape.end()};
}

// One number, or one per sample.
bool may_be_loss(const Shape& output) {
  return std::all_of(output.begin() + std::min<std::ptrdiff_t>(1, std::ssize(output)), output.end(),
                     [](std::int64_t extent) { return extent == 1; });
}

// Anything but a loss is a prediction, and its mean would be trained without a word.
Result<> check_own_loss(const Shape& output, const JobConfig& config) {
  if (may_be_loss(output)) return {};
  return fail(
      ErrorCode::invalid_input,
      fmt::format("with loss = \"model\" the first output is the loss, but it has shape {}", shape_text(output)),
      config.model.source, "let forward(x, target) return the loss, or choose cross-entropy or mse as model.loss");
}

Result<> check_mse(const Shape& output, const Column& target, const std::string& file) {
  std::int64_t expected = 1, found = 1;
  for (const std::int64_t extent : without_batch(output)) expected *= extent;
  for (const std::int64_t extent : target.row.shape) found *= extent;
  if (expected == found && !output.empty()) return {};
  return fail(ErrorCode::invalid_input,
              output.empty() ? std::string("the model's output is a single number, not one row per sample")
                             : fmt::format("a target row has shape {}, the model's output without the batch {}",
                                           shape_text(target.row.shape), shape_text(without_batch(output))),
              file, may_be_loss(output) ? kOwnLossHint : "mse compares output and target number by number");
}

struct Misfit {
  std::int64_t element = 0;
  std::int64_t value = 0;
};

template <class Number>
std::optional<Misfit> first_outside(const Column& target, std::int64_t classes) {
  const std::byte* bytes = target.bytes.get();
  const auto elements = target.rows * target.row.bytes() / static_cast<Bytes>(sizeof(Number));
  for (std::int64_t i = 0; i < elements; ++i) {
    Number number = 0;
    std::memcpy(&number, bytes + i * static_cast<Bytes>(sizeof number), sizeof number);  // may be unaligned in its file
    if (number < 0 || static_cast<std::int64_t>(number) >= classes) return Misfit{i, std::int64_t{number}};
  }
  return std::nullopt;
}

Result<> check_classes(const Column& target, std::int64_t classes, const std::string& file) {
  if (!target.bytes || target.rows == 0) return {};
  const std::string& dtype = target.row.dtype;
  const std::int64_t per_row = target.row.bytes() / std::max<Bytes>(1, element_size(dtype));
  const auto misfit = dtype == "uint8"   ? first_outside<std::uint8_t>(target, classes)
                      : dtype == "int8"  ? first_outside<std::int8_t>(target, classes)
                      : dtype == "int16" ? first_outside<std::int16_t>(target, classes)
                      : dtype == "int32" ? first_outside<std::int32_t>(target, classes)
                      : dtype == "int64" ? first_outside<std::int64_t>(target, classes)
                                         : std::nullopt;
  if (!misfit) return {};
  return fail(ErrorCode::invalid_input,
              fmt::format("the target of row {} is class {}, but the model has {} classes", misfit->element / per_row,
                          misfit->value, classes),
              file, "classes count from 0; give the model as many outputs as there are classes");
}

Result<> check_cross_entropy(const Shape& output, const Column& target, const std::string& file) {
  const Shape& row = target.row.shape;
  if (output.size() < 2 || !std::equal(output.begin() + 1, output.end() - 1, row.begin(), row.end()))
    return fail(ErrorCode::invalid_input,
                fmt::format("a target row has shape {}, the model's output {}", shape_text(row), shape_text(output)),
                file,
                may_be_loss(output)
                    ? kOwnLossHint
                    : "cross-entropy needs one class number per prediction, and the output's last axis to be classes");
  if (target.row.dtype.starts_with("float") || target.row.dtype.starts_with("bfloat"))
    return fail(ErrorCode::invalid_input,
                fmt::format("cross-entropy needs class numbers as targets, found {}", target.row.dtype), file,
                "store the targets as integers, or choose loss = \"mse\" in [model]");
  return check_classes(target, output.back(), file);
}

struct Files {
  std::string input, target;
};

Files training_files(const JobConfig::Data& data) {
  return {data.train_input, data.format == "tokens" ? data.train_input : data.train_target};
}

Files validation_files(const JobConfig::Data& data) {
  if (data.format != "tokens") return {data.validation_input, data.validation_target};
  const std::string& file = data.validation_input.empty() ? data.train_input : data.validation_input;
  return {file, file};
}

// As worker/loss.h demands.
Result<> check_target(const ModelDescription& model, const Column& target, const std::string& file,
                      const JobConfig& config) {
  if (model.outputs.empty()) return {};
  const Shape& output = model.outputs.front().shape;
  if (config.model.loss == "model") return check_own_loss(output, config);
  return config.model.loss == "mse" ? check_mse(output, target, file) : check_cross_entropy(output, target, file);
}

Result<> check_alike(const char* what, const TensorSpec& training, const std::string& training_file,
                     const TensorSpec& validation, const std::string& validation_file) {
  if (training.dtype == validation.dtype && training.shape == validation.shape) return {};
  return fail(ErrorCode::invalid_input,
              fmt::format("a validation {} row is {} {}, but a training one, in {}, {} {}", what, validation.dtype,
                          shape_text(validation.shape), training_file, training.dtype, shape_text(training.shape)),
              validation_file, "save both data sets the same way");
}

}  // namespace

Result<> check_data(const ModelDescription& model, const Datasets& data, const JobConfig& config) {
  const std::size_t most = config.model.loss == "model" ? 2 : 1;
  if (model.inputs.empty() || model.inputs.size() > most)
    return fail(ErrorCode::invalid_input,
                fmt::format("the model takes {}, a data set gives {}", counted(std::ssize(model.inputs), "input"),
                            most == 2 ? "input and target" : "one"),
                config.model.source, "wrap the model so that it takes one tensor");
  const Files training = training_files(config.data);
  const Shape& wanted = model.inputs.front().shape;
  const Shape& row = data.train.input.row.shape;
  if (wanted.empty() || without_batch(wanted) != row)
    return fail(ErrorCode::invalid_input,
                fmt::format("a row has shape {}, but {} takes {}", shape_text(row), config.model.source,
                            shape_text(without_batch(wanted))),
                training.input, "store the data in the model's shape, or choose another model");
  FUNCPIPE_TRY_VOID(check_target(model, data.train.target, training.target, config));

  if (data.validation.input.rows == 0) return {};
  const Files validation = validation_files(config.data);
  FUNCPIPE_TRY_VOID(
      check_alike("input", data.train.input.row, training.input, data.validation.input.row, validation.input));
  FUNCPIPE_TRY_VOID(
      check_alike("target", data.train.target.row, training.target, data.validation.target.row, validation.target));
  return check_target(model, data.validation.target, validation.target, config);
}

}  // namespace funcpipe
