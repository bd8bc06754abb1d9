#include <vector>

#include "data/dataset.h"
#include "data/readers.h"

namespace funcpipe {
namespace {

Result<Dataset> read_pair(const std::string& format, const std::string& input, const std::string& target,
                          const std::string& which) {
  if (input.empty() || target.empty())
    return fail(ErrorCode::invalid_input,
                fmt::format("data.{}_{} is not set", which, input.empty() ? "input" : "target"), {},
                fmt::format("name both data.{0}_input and data.{0}_target", which));
  const auto read = format == "idx" ? read_idx : read_npy;
  FUNCPIPE_TRY(inputs, read(input));
  FUNCPIPE_TRY(targets, read(target));
  if (inputs.rows != targets.rows)
    return fail(ErrorCode::invalid_input,
                fmt::format("{} rows of input but {} of target ({})", inputs.rows, targets.rows, target), input,
                "input and target must have one row per sample");
  return Dataset{std::move(inputs), std::move(targets)};
}

}  // namespace

Result<Datasets> load_datasets(const JobConfig::Data& data) {
  Datasets result;
  const bool has_validation = !data.validation_input.empty() || !data.validation_target.empty();
  if (data.format == "tokens") {
    if (data.train_input.empty())
      return fail(ErrorCode::invalid_input, "data.train_input is not set", {}, "name the token file");
    if (!data.train_target.empty() || !data.validation_target.empty())
      return fail(ErrorCode::invalid_input, "tokens have no target file: a row's target is the row shifted by one", {},
                  "leave data.train_target and data.validation_target out");
    if (has_validation && data.validation_fraction > 0)
      return fail(ErrorCode::invalid_input, "data.validation_input and data.validation_fraction are both set", {},
                  "keep one of them");
    FUNCPIPE_TRY(train,
                 read_tokens(data.train_input, data.token_dtype, data.sequence_length, data.validation_fraction));
    result = std::move(train);
    if (has_validation) {
      FUNCPIPE_TRY(validation, read_tokens(data.validation_input, data.token_dtype, data.sequence_length, 0));
      result.validation = std::move(validation.train);
    }
    return result;
  }
  if (data.format != "npy" && data.format != "idx")
    return fail(ErrorCode::invalid_input, fmt::format("data.format \"{}\" is not known", data.format), {},
                "use npy, idx or tokens");
  if (data.validation_fraction > 0)
    return fail(ErrorCode::invalid_input, "data.validation_fraction works with data.format tokens only", {},
                "name data.validation_input and data.validation_target");
  FUNCPIPE_TRY(train, read_pair(data.format, data.train_input, data.train_target, "train"));
  result.train = std::move(train);
  if (has_validation) {
    FUNCPIPE_TRY(validation, read_pair(data.format, data.validation_input, data.validation_target, "validation"));
    result.validation = std::move(validation);
  }
  return result;
}

}  // namespace funcpipe
