#include "base/check.h"
#include "schedule/builder.h"
#include "schedule/program.h"

namespace funcpipe {
namespace {

// A worker computes at most this many micro-batches ahead of its sends and receives at most this many ahead of its
// forwards, because the activations of a whole validation set would not fit its memory.
constexpr std::size_t kAhead = 8;

}  // namespace

// Here every object has one reader, which deletes it, because no traffic of a next iteration could tell the publisher
// that it was read. Each replica therefore gets its own copy of a stage's buffers.
Program evaluation_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker) {
  FUNCPIPE_CHECK(static_cast<int>(shapes.size()) == plan.stage_count(), "{} shapes for {} stages", shapes.size(),
                 plan.stage_count());
  const auto [stage, replica] = worker;
  const StageShape& shape = shapes[stage];
  const bool first = stage == 0;
  const bool last = stage == plan.stage_count() - 1;
  const bool loads = shape.reads_data || last;
  const std::vector<MicroBatch> batches = plan.micro_batches_of(replica);
  ProgramBuilder builder(worker);

  if (shape.has_buffers && replica == 0) {
    for (int r = 1; r < plan.replicas; ++r) {
      if (plan.micro_batches_of(r).empty()) continue;
      builder.add({.kind = OpKind::publish_buffers,
                   .object = {ObjectKind::buffers, stage, 0, r},
                   .readers = {{stage, r}},
                   .retention = Retention::when_read});
    }
  } else if (shape.has_buffers && !batches.empty()) {
    builder.add({.kind = OpKind::fetch_buffers,
                 .object = {ObjectKind::buffers, stage, 0, replica},
                 .retention = Retention::when_read});
  }

  std::vector<int> forwards, sends;
  for (const MicroBatch& batch : batches) {
    std::vector<Dependency> ahead;
    if (forwards.size() >= kAhead) ahead.push_back({forwards[forwards.size() - kAhead], 0});
    Op forward{.kind = OpKind::forward, .micro_batch = batch.index};
    if (loads) builder.add({.kind = OpKind::load, .micro_batch = batch.index, .after = ahead});
    if (!first)
      builder.add({.kind = OpKind::receive_activation,
                   .micro_batch = batch.index,
                   .object = {ObjectKind::activation, stage - 1, replica, batch.index},
                   .retention = Retention::when_read,
                   .after = ahead});
    if (sends.size() >= kAhead) forward.after.push_back({sends[sends.size() - kAhead], 0});
    forwards.push_back(builder.add(std::move(forward)));
    if (!last) {
      sends.push_back(builder.add({.kind = OpKind::send_activation,
                                   .micro_batch = batch.index,
                                   .object = {ObjectKind::activation, stage, replica, batch.index},
                                   .readers = {{stage + 1, replica}},
                                   .retention = Retention::when_read}));
    }
  }
  if (last) {
    Op report{.kind = OpKind::report};
    if (!forwards.empty()) report.after.push_back({forwards.back(), 0});
    builder.add(std::move(report));
  }
  return std::move(builder).finish();
}

}  // namespace funcpipe
