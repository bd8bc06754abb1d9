#include "job/try_model.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "protocol/validation_rounds.h"

namespace funcpipe {
namespace {

// Returns the memory that the kernel says is available without swapping; 0 if it does not say.
Bytes available_memory() {
  std::ifstream info("/proc/meminfo");
  std::string word;
  while (info >> word) {
    if (word != "MemAvailable:") continue;
    Bytes kibibytes = 0;
    info >> kibibytes;
    return kibibytes * kKiB;
  }
  return 0;
}

// True if this machine can hold one step of the whole model in one process. The functions together may have more
// memory.
bool holds_step(const ModelDescription& model, int samples) {
  Bytes activations = 0;
  for (const LayerDescription& layer : model.layers) activations += layer.activation_bytes;
  const double share = static_cast<double>(samples) / model.micro_batch;
  const double needed = 2 * static_cast<double>(model.parameter_bytes()) + 2 * share * static_cast<double>(activations);
  return needed < 0.5 * static_cast<double>(available_memory());
}

std::string samples_text(int samples) {
  return fmt::format("{} sample{}", samples, samples == 1 ? "" : "s");
}

// True if `total` samples make no micro-batch of fewer than `least`.
bool makes_no_smaller(std::int64_t total, std::int64_t micro_batch, int least) {
  return micro_batch >= least && (total % micro_batch == 0 || total % micro_batch >= least);
}

// Returns the micro-batch nearest to `wanted` for which all micro-batches have at least `least` samples; 0 if there is
// none.
std::int64_t nearest_micro_batch(std::int64_t total, std::int64_t wanted, int least) {
  for (std::int64_t away = 0; away <= std::max(total, wanted); ++away)
    for (const std::int64_t candidate : {wanted - away, wanted + away})
      if (candidate >= least && candidate <= total && makes_no_smaller(total, candidate, least)) return candidate;
  return 0;
}

tl::unexpected<Error> refused(const TrialFailure& failure, const JobSpec& spec, const Plan& evaluation) {
  const Plan& plan = failure.training ? spec.plan : evaluation;
  const std::int64_t total = plan.global_batch;
  const bool is_rest = failure.samples < plan.micro_batch && failure.samples < total;
  const std::string whole = failure.training ? "each global batch" : "the validation data";
  const std::string which = is_rest ? fmt::format("the last micro-batch of {} ({} in micro-batches of {}) has {}",
                                                  whole, total, plan.micro_batch, samples_text(failure.samples))
                                    : fmt::format("a micro-batch has {}", samples_text(failure.samples));
  std::string hint;
  if (failure.smallest > failure.samples) {
    std::vector<std::string> ways;
    if (failure.training && is_rest)
      ways.push_back(fmt::format("training.global_batch to {}", total - failure.samples));
    // If the model accepts whole micro-batches only, no other size is known to work.
    const bool flexible = failure.smallest < plan.micro_batch || !is_rest;
    const std::int64_t micro_batch =
        flexible || !failure.training ? nearest_micro_batch(total, plan.micro_batch, failure.smallest) : 0;
    if (micro_batch > 0)
      ways.push_back(
          fmt::format("{} to {}", failure.training ? "training.micro_batch" : "validation.micro_batch", micro_batch));
    hint = fmt::format("it takes {}", samples_text(failure.smallest));
    if (!ways.empty()) hint += fmt::format(": set {}", fmt::join(ways, ", or "));
  } else if (failure.smallest == 0) {
    hint = failure.training ? "it takes no smaller batch either: check its forward in training mode"
                            : "it takes no smaller batch either: check its forward in evaluation mode";
  } else {
    hint = "PyTorch says so too of the same rows: check the model's forward";
  }
  return fail(ErrorCode::invalid_input,
              fmt::format("the model cannot be {} so: {}, of which it says: {}",
                          failure.training ? "trained" : "evaluated", which, failure.message),
              spec.config.model.source, hint);
}

}  // namespace

std::vector<int> batch_sizes(std::int64_t total, int micro_batch) {
  std::vector<int> sizes;
  if (total >= micro_batch) sizes.push_back(micro_batch);
  if (const auto rest = static_cast<int>(total % micro_batch); rest > 0) sizes.push_back(rest);
  return sizes;
}

Result<> try_model(const WorkerTool& worker, const JobSpec& spec, const Datasets& data, std::stop_token stop) {
  const Plan evaluation = evaluation_plan(spec, data.validation.input.rows);
  TrialRequest request;
  request.training = batch_sizes(spec.plan.global_batch, spec.plan.micro_batch);
  if (data.validation.input.rows > 0)
    request.evaluation = batch_sizes(data.validation.input.rows, evaluation.micro_batch);
  request.backward = holds_step(spec.model, request.training.back());
  FUNCPIPE_TRY(trial,
               worker.try_model(spec.config.model_source(), spec.model.inputs, spec.config.model, request, stop));
  if (trial.failure) return refused(*trial.failure, spec, evaluation);
  const std::string& source = spec.config.model.source;
  if (!trial.loss_text.empty()) {
    const std::string where = trial.layer.empty()
                                  ? "every layer's output is finite, so the loss itself is at fault"
                                  : fmt::format("the output of layer {} is the first that is not finite", trial.layer);
    return fail(ErrorCode::invalid_input,
                fmt::format("the loss is {} in iteration 0, on rows of the data and before any training: {}",
                            trial.loss_text, where),
                source, "scale the input, the target or the model's first weights");
  }
  if (!trial.gradient.empty())
    return fail(ErrorCode::invalid_input,
                fmt::format("the gradient of {} is not finite in iteration 0, on rows of the data and before any "
                            "training, though the loss is",
                            trial.gradient),
                source, "look for a root, a logarithm or a quotient of zero behind it in the model's forward");
  return {};
}

}  // namespace funcpipe
