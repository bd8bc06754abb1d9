#include "job/resolve.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/counted.h"
#include "job/check_data.h"

namespace funcpipe {
namespace {

// A type in which stored data could be given to the model.
struct PossibleType {
  std::string dtype;
  // False: tried only to find out whether it would work; the user would have to save the data so.
  bool converted = true;
};

// The first type is the stored one, as PyTorch takes numbers that NumPy stored. Whole numbers may be classes or tokens,
// which many operations accept as int64 only. Bytes may be pixels, which most operations accept as float32 only.
// Neither conversion loses anything. Any other conversion is for the user to choose.
std::vector<PossibleType> possible_types(const std::string& stored) {
  std::vector<PossibleType> types{{stored}};
  const bool whole = stored.starts_with("int") || stored == "uint8";
  if (whole && stored != "int64") types.push_back({"int64"});
  if (stored != "float32" && !stored.starts_with("complex")) types.push_back({"float32", stored == "uint8"});
  return types;
}

}  // namespace

InputChoices possible_inputs(const JobConfig& config, const Dataset& data) {
  const std::vector<PossibleType> inputs = possible_types(data.input.row.dtype);
  const auto batch_of = [&](const Column& column, const PossibleType& type) {
    TensorSpec spec = column.row;
    spec.dtype = type.dtype;
    spec.shape.insert(spec.shape.begin(), config.training.micro_batch);
    return spec;
  };
  InputChoices choices;
  if (config.model.loss == "model") {
    for (const PossibleType& input : inputs)
      for (const PossibleType& target : possible_types(data.target.row.dtype))
        (input.converted && target.converted ? choices.taken : choices.refused)
            .push_back({batch_of(data.input, input), batch_of(data.target, target)});
  }
  for (const PossibleType& input : inputs)
    (input.converted ? choices.taken : choices.refused).push_back({batch_of(data.input, input)});
  return choices;
}

Error refused_types(const JobConfig& config, const Dataset& data, const std::vector<TensorSpec>& wanted,
                    const std::string& refusal) {
  std::string hint;
  const auto say = [&](const char* what, const Column& column, const std::string& file, const TensorSpec& spec) {
    if (column.row.dtype == spec.dtype) return;
    hint += fmt::format("{}save the {} ({} holds {}) as numpy's {}.astype(\"{}\")", hint.empty() ? "" : "; and ", what,
                        file, column.row.dtype, what[0] == 'i' ? "x" : "y", spec.dtype);
  };
  if (!wanted.empty()) say("input", data.input, config.data.train_input, wanted.front());
  if (wanted.size() > 1) say("target", data.target, config.data.train_target, wanted[1]);
  return {ErrorCode::invalid_input, refusal, config.model.source,
          hint + ", or let the model's forward convert it (x.float())"};
}

TrainingState training_state(const JobConfig& config, const Datasets& data) {
  // A reader keeps whole blocks (data/dataset.h), so its window may be larger by one block.
  const auto cache_of = [&](const Column& column) {
    return std::min(column.rows * column.row.bytes(), config.data.shuffle_window + kMiB);
  };
  const bool momentum = config.optimizer.name == "sgd" && config.optimizer.momentum != 0;
  return {.optimizer_copies = optimizer_copies(momentum ? "momentum" : config.optimizer.name),
          .input_cache = cache_of(data.train.input),
          .target_cache = cache_of(data.train.target)};
}

Result<JobLength> length_of(const JobConfig& config, const Datasets& data, int global_batch) {
  JobLength length;
  length.steps_per_epoch = data.train.input.rows / global_batch;
  if (length.steps_per_epoch < 1)
    return fail(ErrorCode::invalid_input,
                fmt::format("{} {} fewer than one global batch of {}", counted(data.train.input.rows, "row"),
                            data.train.input.rows == 1 ? "is" : "are", global_batch),
                config.data.train_input, "set training.global_batch to at most the number of rows");
  length.steps = config.training.steps;
  if (length.steps == 0)
    length.steps =
        std::max<std::int64_t>(1, std::llround(config.training.epochs * static_cast<double>(length.steps_per_epoch)));
  return length;
}

Result<JobSpec> resolve(const JobConfig& config, const ModelDescription& model, const Datasets& data, Plan plan,
                        std::string id) {
  JobSpec spec;
  spec.plan = std::move(plan);
  spec.id = std::move(id);
  spec.config = config;
  spec.model = model;
  spec.config.training.global_batch = spec.plan.global_batch;  // the plan decides
  spec.config.training.micro_batch = spec.plan.micro_batch;
  spec.config.model.class_axis = decided_class_axis(model, data, config);
  spec.state = training_state(config, data);
  FUNCPIPE_TRY(length, length_of(config, data, spec.plan.global_batch));
  spec.steps_per_epoch = length.steps_per_epoch;
  spec.steps = length.steps;
  return spec;
}

}  // namespace funcpipe
