#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/job_spec.h"
#include "plan/plan.h"
#include "profile/model_description.h"

namespace funcpipe {

// The verbs of funcpipe-worker, which touch models and tensors, called as a child process: this program needs no
// libtorch. Errors of the worker are passed on as they are; a stop gives cancelled.
class WorkerTool {
 public:
  // $FUNCPIPE_WORKER, or funcpipe-worker beside this program. Error: not_found.
  static Result<WorkerTool> find();
  explicit WorkerTool(std::filesystem::path program) : program_(std::move(program)) {}

  const std::filesystem::path& program() const { return program_; }

  // `inputs`: dtype and shape of the data inputs, dimension 0 the micro-batch.
  Result<ModelDescription> describe(const std::string& source, const std::vector<TensorSpec>& inputs,
                                    std::uint64_t seed, std::stop_token stop) const;

  // Writes folder/stage-00.pt, ... of the plan's stages; returns their paths in order.
  Result<std::vector<std::filesystem::path>> cut(const std::string& source, const std::vector<TensorSpec>& inputs,
                                                 std::uint64_t seed, const Plan& plan,
                                                 const std::filesystem::path& folder, std::stop_token stop) const;

  // Puts trained stage files into the whole model and writes folder/model.pt and folder/state_dict.pt.
  Result<> assemble(const std::string& source, const std::vector<TensorSpec>& inputs, std::uint64_t seed,
                    const std::vector<std::filesystem::path>& stages, const std::filesystem::path& folder,
                    std::stop_token stop) const;

  // Plays the parameter server of a job to its end. `environment`: how it reaches the store.
  Result<WorkerAnswer> serve(const WorkerInvocation& invocation, const std::map<std::string, std::string>& environment,
                             std::stop_token stop) const;

 private:
  std::filesystem::path program_;
};

}  // namespace funcpipe
