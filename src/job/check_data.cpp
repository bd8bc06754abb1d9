#include "job/check_data.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/counted.h"
#include "config/class_axis.h"

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

// True for one number, or one for each sample.
bool may_be_loss(const Shape& output) {
  return std::all_of(output.begin() + std::min<std::ptrdiff_t>(1, std::ssize(output)), output.end(),
                     [](std::int64_t extent) { return extent == 1; });
}

// Refuses an output that is no loss: it is a prediction, and training would silently minimise its mean.
Result<> check_own_loss(const Shape& output, const JobConfig& config) {
  if (may_be_loss(output)) return {};
  return fail(
      ErrorCode::invalid_input,
      fmt::format("with loss = \"model\" the first output is the loss, but it has shape {}", shape_text(output)),
      config.model.source, "let forward(x, target) return the loss, or choose cross-entropy or mse as model.loss");
}

// Returns the expression that gives rows of this shape, such as "y.reshape(-1, 3, 4)".
std::string reshape_text(const Shape& row) {
  return row.empty() ? "y.reshape(-1)" : fmt::format("y.reshape(-1, {})", fmt::join(row, ", "));
}

// Returns the index of the first number that is not finite.
template <class Number>
std::optional<std::int64_t> first_not_finite(const Column& target) {
  const auto elements = target.rows * target.row.bytes() / static_cast<Bytes>(sizeof(Number));
  for (std::int64_t i = 0; i < elements; ++i) {
    Number number = 0;
    std::memcpy(&number, target.bytes.get() + i * static_cast<Bytes>(sizeof number), sizeof number);
    if (!std::isfinite(static_cast<float>(number))) return i;
  }
  return std::nullopt;
}

Result<> check_finite(const Column& target, const std::string& file) {
  if (!target.bytes) return {};
  const std::string& dtype = target.row.dtype;
  const auto found = dtype == "float32"   ? first_not_finite<float>(target)
                     : dtype == "float64" ? first_not_finite<double>(target)
                                          : std::nullopt;
  if (!found) return {};
  const std::int64_t per_row = std::max<std::int64_t>(1, target.row.bytes() / element_size(dtype));
  return fail(ErrorCode::invalid_input,
              fmt::format("the target of row {} is no finite float32 number", *found / per_row), file,
              "leave such rows out, or give them another value: the first of them would end the training");
}

// Requires equal shapes. PyTorch broadcasts some others ([8, 1] with [8] becomes [8, 8]), which is never meant, and
// refuses the rest.
Result<> check_mse(const Shape& output, const Column& target, const std::string& file) {
  const Shape expected = without_batch(output);
  if (output.empty())
    return fail(ErrorCode::invalid_input, "the model's output is a single number, not one row per sample", file,
                kOwnLossHint);
  if (expected != target.row.shape) {
    std::int64_t wanted = 1, found = 1;
    for (const std::int64_t extent : expected) wanted *= extent;
    for (const std::int64_t extent : target.row.shape) found *= extent;
    std::string hint = "mse compares output and target number by number: give both the same shape";
    if (wanted == found)
      hint += fmt::format(", with {} if that is how the numbers lie, or with transpose first", reshape_text(expected));
    else if (may_be_loss(output))
      hint = kOwnLossHint;
    return fail(ErrorCode::invalid_input,
                fmt::format("a target row has shape {}, the model's output without the batch {}",
                            shape_text(target.row.shape), shape_text(expected)),
                file, hint);
  }
  if (target.row.dtype.starts_with("complex"))
    return fail(ErrorCode::invalid_input, fmt::format("mse needs real targets, found {}", target.row.dtype), file,
                "save their real and imaginary parts as two numbers");
  return check_finite(target, file);
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
    // The file may have it unaligned.
    std::memcpy(&number, bytes + i * static_cast<Bytes>(sizeof number), sizeof number);
    if (number < 0 || static_cast<std::int64_t>(number) >= classes) return Misfit{i, std::int64_t{number}};
  }
  return std::nullopt;
}

Result<> check_classes(const Column& target, std::int64_t classes, const std::string& file) {
  if (!target.bytes || target.rows == 0) return {};
  const std::string& dtype = target.row.dtype;
  const std::int64_t per_row = target.row.bytes() / std::max<Bytes>(1, element_size(dtype));
  const auto misfit = dtype == "uint8" || dtype == "bool" ? first_outside<std::uint8_t>(target, classes)
                      : dtype == "int8"                   ? first_outside<std::int8_t>(target, classes)
                      : dtype == "int16"                  ? first_outside<std::int16_t>(target, classes)
                      : dtype == "int32"                  ? first_outside<std::int32_t>(target, classes)
                      : dtype == "int64"                  ? first_outside<std::int64_t>(target, classes)
                                                          : std::nullopt;
  if (!misfit) return {};
  return fail(ErrorCode::invalid_input,
              fmt::format("the target of row {} is class {}, but the model has {} classes", misfit->element / per_row,
                          misfit->value, classes),
              file,
              misfit->value < 0 ? "classes count from 0; rows to be left out (-100 in PyTorch) must not be in the data"
                                : "classes count from 0; give the model as many outputs as there are classes");
}

// The built-in models have the classes on the last axis.
ClassAxis axis_of_classes(const Shape& output, const Column& target, const JobConfig::Model& model) {
  Shape batch = target.row.shape;
  if (!output.empty()) batch.insert(batch.begin(), output.front());
  const ClassAxis axis = class_axis(output, batch, model.class_axis);
  return axis == ClassAxis::either && model.source.starts_with("zoo:") ? ClassAxis::last : axis;
}

Result<> check_cross_entropy(const Shape& output, const Column& target, const std::string& file,
                             const JobConfig::Model& model) {
  const Shape& row = target.row.shape;
  const ClassAxis axis = axis_of_classes(output, target, model);
  if (axis == ClassAxis::either)
    return fail(ErrorCode::invalid_input,
                fmt::format("a target row has shape {} and the model's output {}: its classes may lie on the second "
                            "axis, as in PyTorch's cross_entropy, or on the last, as in a language model",
                            shape_text(row), shape_text(output)),
                file, "set class_axis = \"second\" or \"last\" in [model]");
  if (axis == ClassAxis::neither)
    return fail(ErrorCode::invalid_input,
                fmt::format("a target row has shape {}, the model's output {}", shape_text(row), shape_text(output)),
                file,
                may_be_loss(output)
                    ? kOwnLossHint
                    : "cross-entropy needs one class number per prediction: an output of [N, C], [N, C, ...] or "
                      "[N, ..., C] for a target of [N] or [N, ...]");
  if (!target.row.dtype.starts_with("int") && target.row.dtype != "uint8" && target.row.dtype != "bool")
    return fail(ErrorCode::invalid_input,
                fmt::format("cross-entropy needs class numbers as targets, found {}", target.row.dtype), file,
                "store the targets as integers, or choose loss = \"mse\" in [model]");
  return check_classes(target, axis == ClassAxis::second ? output[1] : output.back(), file);
}

Result<> check_trainable(const ModelDescription& model, const JobConfig& config) {
  const auto trainable = std::ranges::count_if(model.parameters, &ParameterDescription::trainable);
  if (trainable == 0)
    return fail(ErrorCode::invalid_input,
                model.parameters.empty()
                    ? "there is nothing to train: the model uses no parameter"
                    : fmt::format("there is nothing to train: none of the model's {} parameters requires a gradient",
                                  model.parameters.size()),
                config.model.source, "call requires_grad_(True) on those to be trained before the model is saved");
  if (!model.outputs.empty() && !model.outputs.front().requires_grad)
    return fail(ErrorCode::invalid_input,
                fmt::format("there is nothing to train: the model's first output depends on none of its {} trainable "
                            "parameters",
                            trainable),
                config.model.source,
                "look for detach(), no_grad, argmax or a comparison between them in the model's forward");
  return {};
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

// Checks what worker/loss.h requires.
Result<> check_target(const ModelDescription& model, const Column& target, const std::string& file,
                      const JobConfig& config) {
  if (model.outputs.empty()) return {};
  const Shape& output = model.outputs.front().shape;
  if (config.model.loss == "model") return check_own_loss(output, config);
  return config.model.loss == "mse" ? check_mse(output, target, file)
                                    : check_cross_entropy(output, target, file, config.model);
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

std::string decided_class_axis(const ModelDescription& model, const Datasets& data, const JobConfig& config) {
  if (config.model.loss != "cross-entropy" || model.outputs.empty()) return config.model.class_axis;
  const ClassAxis axis = axis_of_classes(model.outputs.front().shape, data.train.target, config.model);
  return axis == ClassAxis::second ? "second" : "last";
}

Result<> check_data(const ModelDescription& model, const Datasets& data, const JobConfig& config) {
  FUNCPIPE_TRY_VOID(check_trainable(model, config));
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
