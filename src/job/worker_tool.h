#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"
#include "job/sample_rows.h"
#include "plan/plan.h"
#include "profile/model_description.h"
#include "protocol/invocation.h"

namespace funcpipe {

// What the worker program found a model to be on rows of the data.
struct DescribedModel {
  ModelDescription model;
  std::size_t choice = 0;  // of the inputs to choose from
  std::string refusal;     // what the model said of the first choice, if it was not that
  std::string numerics;    // of the worker program (model/numerics.h)
};

struct TrialRequest {
  std::vector<int> training, evaluation;  // samples of the micro-batches to try
  bool backward = true;                   // a backward pass too, on the fewest samples of training
};
struct TrialFailure {
  bool training = true;
  int samples = 0;
  std::string message;  // the model's
  int smallest = 0;     // fewest samples it takes; 0: none tried
};
struct TrialResult {
  std::optional<TrialFailure> failure;
  std::string loss_text;  // "nan", "inf" or "-inf" where the loss is that, else empty
  std::string layer;      // then the first whose output is not finite, if there is one
  std::string gradient;   // the parameter whose gradient is not finite, if there is one
};

// The verbs of funcpipe-worker, which touch models and tensors, called as a child process: this program needs no
// libtorch. Errors of the worker are passed on as they are; a stop gives cancelled.
class WorkerTool {
 public:
  // $FUNCPIPE_WORKER, or funcpipe-worker beside this program. Error: not_found.
  static Result<WorkerTool> find();
  explicit WorkerTool(std::filesystem::path program) : program_(std::move(program)) {}

  const std::filesystem::path& program() const { return program_; }

  // `inputs`: dtype and shape of the data inputs, dimension 0 the micro-batch.
  Result<ModelDescription> describe(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                    std::stop_token stop) const;

  // From here on the other verbs look at the model on these rows.
  void use(std::shared_ptr<const SampleRows> rows) { rows_ = std::move(rows); }

  // On the rows given with use(), as the first of `choices` that the model takes.
  Result<DescribedModel> describe_first(const ModelSource& model, const std::vector<std::vector<TensorSpec>>& choices,
                                        std::stop_token stop) const;

  // On the rows given with use(): worker/trial.h.
  Result<TrialResult> try_model(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                const JobConfig::Model& settings, const TrialRequest& request,
                                std::stop_token stop) const;

  // Writes folder/stage-00.pt, ... of the plan's stages; returns their paths in order.
  Result<std::vector<std::filesystem::path>> cut(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                                 const Plan& plan, const std::filesystem::path& folder,
                                                 std::stop_token stop) const;

  // Puts trained stage files into the whole model and writes folder/model.pt and folder/state_dict.pt.
  Result<> assemble(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                    const std::vector<std::filesystem::path>& stages, const std::filesystem::path& folder,
                    std::stop_token stop) const;

  // Plays the parameter server of a job to its end. `environment`: how it reaches the store.
  Result<WorkerAnswer> serve(const WorkerInvocation& invocation, const std::map<std::string, std::string>& environment,
                             std::stop_token stop) const;

 private:
  std::vector<std::string> arguments_of(const char* verb, const ModelSource& model,
                                        const std::vector<TensorSpec>& inputs) const;

  std::filesystem::path program_;
  std::shared_ptr<const SampleRows> rows_;  // shared by copies of this object
};

}  // namespace funcpipe
