#include "schedule/pipeline.h"

#include <algorithm>

#include "base/check.h"

namespace funcpipe {
namespace {

class PipelineWriter {
 public:
  PipelineWriter(ProgramBuilder& builder, const PipelineOptions& options)
      : builder_(builder),
        options_(options),
        first_(options.worker.stage == 0),
        last_(options.worker.stage == options.stages - 1),
        sends_(options.micro_batches.size(), -1) {}

  void forward(int position) {
    const auto [stage, replica] = options_.worker;
    const int batch = options_.micro_batches[position].index;
    const int load = options_.loads ? builder_.add({.kind = OpKind::load, .micro_batch = batch}) : -1;
    if (!first_) {
      receives_.push_back(builder_.add({.kind = OpKind::receive_activation,
                                        .micro_batch = batch,
                                        .object = {ObjectKind::activation, stage - 1, replica, batch}}));
    }
    const int index = builder_.add({.kind = OpKind::forward, .micro_batch = batch});
    // Data is loaded at most one iteration ahead of its forward.
    if (load >= 0) builder_.depend(load, {index, 1});
    if (!last_) {
      sends_[position] = builder_.add({.kind = OpKind::send_activation,
                                       .micro_batch = batch,
                                       .object = {ObjectKind::activation, stage, replica, batch},
                                       .readers = {{stage + 1, replica}}});
    }
    ops_.nearly_done = std::exchange(latest_, index);
  }

  void backward(int position) {
    const auto [stage, replica] = options_.worker;
    const int batch = options_.micro_batches[position].index;
    if (!last_) {
      // The gradient cannot exist before the activation was sent, so asking earlier is of no use.
      builder_.add({.kind = OpKind::receive_gradient,
                    .micro_batch = batch,
                    .object = {ObjectKind::gradient, stage + 1, replica, batch},
                    .after = {{sends_[position], 0}}});
    }
    const int index =
        builder_.add({.kind = OpKind::backward, .micro_batch = batch, .slice = {0, options_.gradient_elements}});
    ops_.last_backward = index;
    if (!first_) {
      last_gradient_ = builder_.add({.kind = OpKind::send_gradient,
                                     .micro_batch = batch,
                                     .object = {ObjectKind::gradient, stage, replica, batch},
                                     .readers = {{stage - 1, replica}}});
    }
    ops_.nearly_done = std::exchange(latest_, index);
  }

  PipelineOps finish() {
    // The stage before sends no activation of the next iteration until it has received every gradient of this one.
    for (const int receive : receives_) builder_.depend(receive, {last_gradient_, 1});
    return ops_;
  }

 private:
  ProgramBuilder& builder_;
  const PipelineOptions& options_;
  const bool first_, last_;
  PipelineOps ops_;
  std::vector<int> receives_, sends_;
  int last_gradient_ = -1;
  int latest_ = -1;  // The computation that was added last.
};

}  // namespace

std::vector<PipelineStep> pipeline_steps(PipelineOrder order, int stage, int stages, int micro_batches) {
  const int ahead = order == PipelineOrder::gpipe ? micro_batches : std::min(micro_batches, stages - 1 - stage);
  std::vector<PipelineStep> steps;
  for (int m = 0; m < micro_batches + ahead; ++m) {
    if (m < micro_batches) steps.push_back({false, m});
    if (m >= ahead) steps.push_back({true, m - ahead});
  }
  return steps;
}

PipelineOps append_pipeline(ProgramBuilder& builder, const PipelineOptions& options) {
  FUNCPIPE_CHECK(!options.micro_batches.empty(), "{} has no micro-batch", to_string(options.worker));
  PipelineWriter writer(builder, options);
  for (const PipelineStep& step : pipeline_steps(options.order, options.worker.stage, options.stages,
                                                 static_cast<int>(options.micro_batches.size()))) {
    step.backward ? writer.backward(step.micro_batch) : writer.forward(step.micro_batch);
  }
  return writer.finish();
}

}  // namespace funcpipe
