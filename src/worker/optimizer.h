// The update rule of a stage. It is torch::optim's own, so each step gives the bits of a plain PyTorch C++ loop.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "config/job_config.h"

namespace funcpipe {

class StageOptimizer {
 public:
  // `config.name` is sgd, adam or adamw (the config room checks it). A stage may have no parameters.
  StageOptimizer(const JobConfig::Optimizer& config, std::vector<at::Tensor> parameters);
  StageOptimizer(StageOptimizer&&) noexcept;
  ~StageOptimizer();

  // Makes one update from the parameters' gradients. A parameter without a gradient keeps its value and its state.
  void step(double learning_rate);

  // save() returns the state (momentum and the like) as raw bytes for a snapshot. After load() each step gives the same
  // bits as without the interruption.
  std::string save() const;
  Result<> load(std::string_view bytes);  // corrupt if they are of another rule or of other parameters

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
