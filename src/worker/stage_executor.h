// Carries out the operations of a worker's program on its stage, with tensors, autograd and the store.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/stage.h"
#include "protocol/job_spec.h"
#include "worker/exchange.h"
#include "worker/flat_gradient.h"
#include "worker/gradient_executor.h"
#include "worker/optimizer.h"
#include "worker/reporter.h"
#include "worker/sample_source.h"

namespace funcpipe {

// What a stage executor works with. All must outlive it.
struct StageTools {
  Stage& stage;
  FlatGradient& gradient;
  StageOptimizer* optimizer;  // nullptr: evaluation, which has forward passes only
  SampleSource& samples;
  Exchange& exchange;  // its prefix holds this executor's objects
  Reporter* reporter;  // only on the last stage; nullptr on others
  Clock& clock;
};

class StageExecutor final : public GradientExecutor {
 public:
  // `plan` is the job's. For an evaluation it is the one whose global batch is the validation set.
  StageExecutor(const JobSpec& spec, const Plan& plan, WorkerId worker, StageTools tools);
  ~StageExecutor() override;

  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override;

  // When the last updates ended, oldest first, in seconds of the clock. Must not be called while operations run.
  std::vector<Seconds> update_times() const;

 private:
  struct MicroState;  // the data of one micro-batch of one iteration, from load to the last send
  using MicroKey = std::pair<std::int64_t, int>;

  MutableBytes gradient(const Slice& slice) override;
  void add(const Slice& slice, ConstBytes staged) override;
  MutableBytes reached(const Slice& slice, std::optional<std::size_t> received) override;
  Result<> compute(const Op& op, std::int64_t iteration, std::stop_token stop) override;
  Result<> load(const Op& op, std::int64_t iteration, std::stop_token stop) override;
  Result<> report(const Op& op, std::int64_t iteration, std::stop_token stop) override;
  std::vector<at::Tensor> give(const Op& op, Buffer buffer, std::int64_t iteration) override;
  Result<> take(const Op& op, Buffer buffer, std::int64_t iteration, std::vector<at::Tensor> tensors) override;

  Result<> take_activation(const Op& op, std::int64_t iteration, std::vector<at::Tensor> tensors);
  Result<> take_state(const std::vector<at::Tensor>& tensors);
  Result<> forward(const Op& op, std::int64_t iteration, std::stop_token stop);
  Result<> backward(const Op& op, std::int64_t iteration, std::stop_token stop);
  Result<> update(std::int64_t iteration);
  Result<std::vector<at::Tensor>> read_data(const MicroBatch& samples, std::int64_t iteration, std::stop_token stop);
  Result<> find_divergence(const Op& op, std::int64_t iteration, double loss, std::stop_token stop);

  MicroState& state(std::int64_t iteration, int micro_batch);
  void forget(std::int64_t iteration, int micro_batch);
  const MicroBatch& batch(int micro_batch) const;
  bool training() const { return tools_.optimizer != nullptr; }
  std::string place(const Op& op, std::int64_t iteration) const;

  const JobSpec& spec_;
  const WorkerId worker_;
  const bool first_stage_, last_stage_;
  StageTools tools_;
  std::map<int, MicroBatch> batches_;
  std::vector<bool> border_grads_;  // which tensors of the cut before this stage receive a gradient
  std::vector<bool> output_grads_;  // the same of the cut after it

  std::deque<Seconds> update_times_;  // used by the compute lane only

  std::mutex mutex_;  // guards the map only: the operations on one state follow one another
  std::map<MicroKey, std::unique_ptr<MicroState>> states_;
};

}  // namespace funcpipe
