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

// What the worker program found out about a model on rows of the data.
struct DescribedModel {
  ModelDescription model;
  std::size_t choice = 0;  // the index of the accepted one of the inputs to choose from
  std::string refusal;     // what the model said of the first choice, if it refused that
  std::string numerics;    // of the worker program (model/numerics.h)
};

struct TrialRequest {
  std::vector<int> training, evaluation;  // sizes of the micro-batches to try
  bool backward = true;                   // also try a backward pass, on the fewest samples of training
};
struct TrialFailure {
  bool training = true;
  int samples = 0;
  std::string message;  // the model's own
  int smallest = 0;     // fewest samples that it accepts; 0: none of those tried
};
struct TrialResult {
  std::optional<TrialFailure> failure;
  std::string loss_text;  // "nan", "inf" or "-inf" if the loss is that, else empty
  std::string layer;      // in that case the first layer whose output is not finite, if there is one
  std::string gradient;   // the parameter whose gradient is not finite, if there is one
};

// The verbs of funcpipe-worker, which deal with models and tensors. It is called as a child process, so this program
// needs no libtorch. Errors of the worker are passed on unchanged. A stop gives cancelled.
class WorkerTool {
 public:
  // Finds $FUNCPIPE_WORKER, or funcpipe-worker beside this program. Errors: not_found.
  static Result<WorkerTool> find();
  explicit WorkerTool(std::filesystem::path program) : program_(std::move(program)) {}

  const std::filesystem::path& program() const { return program_; }

  // `inputs` gives type and shape of the data inputs; dimension 0 is the micro-batch.
  Result<ModelDescription> describe(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                    std::stop_token stop) const;

  // From now on the other verbs use these rows to look at the model.
  void use(std::shared_ptr<const SampleRows> rows) { rows_ = std::move(rows); }

  // Describes the model on the rows given with use(), with the first of `choices` that it accepts.
  Result<DescribedModel> describe_first(const ModelSource& model, const std::vector<std::vector<TensorSpec>>& choices,
                                        std::stop_token stop) const;

  // Tries the model on the rows given with use(), as worker/trial.h says.
  Result<TrialResult> try_model(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                const JobConfig::Model& settings, const TrialRequest& request,
                                std::stop_token stop) const;

  // Writes the stage files of the plan, folder/stage-00.pt and so on. Returns their paths in order.
  Result<std::vector<std::filesystem::path>> cut(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                                                 const Plan& plan, const std::filesystem::path& folder,
                                                 std::stop_token stop) const;

  // Puts trained stages into the whole model. Writes folder/model.pt and folder/state_dict.pt.
  Result<> assemble(const ModelSource& model, const std::vector<TensorSpec>& inputs,
                    const std::vector<std::filesystem::path>& stages, const std::filesystem::path& folder,
                    std::stop_token stop) const;

  // Plays the parameter server of a job to its end. `environment` has the variables with which it reaches the store.
  Result<WorkerAnswer> serve(const WorkerInvocation& invocation, const std::map<std::string, std::string>& environment,
                             std::stop_token stop) const;

 private:
  std::vector<std::string> arguments_of(const char* verb, const ModelSource& model,
                                        const std::vector<TensorSpec>& inputs) const;

  std::filesystem::path program_;
  std::shared_ptr<const SampleRows> rows_;  // shared by copies of this object
};

}  // namespace funcpipe
