// The update rule of a stage: torch::optim's own, so every step has the bits of a plain PyTorch C++ loop.
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
  // `config.name`: sgd, adam or adamw (checked by config). A stage may have no parameters.
  StageOptimizer(const JobConfig::Optimizer& config, std::vector<at::Tensor> parameters);
  StageOptimizer(StageOptimizer&&) noexcept;
  ~StageOptimizer();

  // One update from the parameters' gradients; what has none keeps its value and its state.
  void step(double learning_rate);

  // Momentum and the like as raw bytes, for a snapshot; load gives every later step the bits it would have had.
  std::string save() const;
  Result<> load(std::string_view bytes);  // corrupt if they are of another rule or other parameters

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
