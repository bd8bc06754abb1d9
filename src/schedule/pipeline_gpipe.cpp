#include "schedule/pipeline_gpipe.h"

#include "base/check.h"

namespace funcpipe {

GpipeOps append_gpipe(ProgramBuilder& builder, const GpipeOptions& options) {
  const auto [stage, replica] = options.worker;
  const bool first = stage == 0;
  const bool last = stage == options.stages - 1;
  FUNCPIPE_CHECK(!options.micro_batches.empty(), "{} has no micro-batch", to_string(options.worker));

  GpipeOps ops;
  std::vector<int> receives, sends;
  int last_gradient = -1;
  for (const MicroBatch& batch : options.micro_batches) {
    Op forward{.kind = OpKind::forward, .micro_batch = batch.index};
    int load = -1;
    if (options.loads) {
      load = builder.add({.kind = OpKind::load, .micro_batch = batch.index});
      forward.after.push_back({load, 0});
    }
    if (!first) {
      receives.push_back(builder.add({.kind = OpKind::receive_activation,
                                      .micro_batch = batch.index,
                                      .object = {ObjectKind::activation, stage - 1, replica, batch.index}}));
      forward.after.push_back({receives.back(), 0});
    }
    const int index = builder.add(std::move(forward));
    // Data may be here one iteration ahead of its forward, not more.
    if (load >= 0) builder.depend(load, {index, 1});
    ops.forwards.push_back(index);
    if (!last) {
      sends.push_back(builder.add({.kind = OpKind::send_activation,
                                   .micro_batch = batch.index,
                                   .object = {ObjectKind::activation, stage, replica, batch.index},
                                   .after = {{index, 0}}}));
    }
  }
  for (std::size_t m = 0; m < options.micro_batches.size(); ++m) {
    const int batch = options.micro_batches[m].index;
    Op backward{.kind = OpKind::backward, .micro_batch = batch, .after = {{ops.forwards[m], 0}}};
    if (!last) {
      // The gradient cannot exist before the activation has left: no use in asking earlier.
      backward.after.push_back({builder.add({.kind = OpKind::receive_gradient,
                                             .micro_batch = batch,
                                             .object = {ObjectKind::gradient, stage + 1, replica, batch},
                                             .after = {{sends[m], 0}}}),
                                0});
    }
    const int index = builder.add(std::move(backward));
    ops.backwards.push_back(index);
    if (!first) {
      last_gradient = builder.add({.kind = OpKind::send_gradient,
                                   .micro_batch = batch,
                                   .object = {ObjectKind::gradient, stage, replica, batch},
                                   .after = {{index, 0}}});
    }
  }
  // The stage before sends nothing of the next iteration until it has had every gradient of this one.
  for (const int receive : receives) builder.depend(receive, {last_gradient, 1});
  ops.last_backward = ops.backwards.back();
  ops.nearly_done = ops.backwards.size() > 1 ? ops.backwards[ops.backwards.size() - 2] : ops.forwards.back();
  return ops;
}

}  // namespace funcpipe
