#include "base/check.h"
#include "schedule/builder.h"
#include "schedule/pipeline.h"
#include "schedule/program.h"
#include "schedule/sync/sync_algorithm.h"
#include "schedule/tied.h"

namespace funcpipe {
namespace {

// Appends the operations that give every replica the state of replica 0 at the beginning of an iteration, and returns
// them. If the stage sums gradients over its replicas, all read one object, and the sums tell replica 0 that they have
// read it. A stage without gradients has no such sign, so each replica gets an object of its own, which it deletes.
std::vector<int> append_shared_state(ProgramBuilder& builder, const Plan& plan, const StageShape& shape,
                                     WorkerId worker) {
  std::vector<int> operations;
  if (!shape.shares_state || plan.replicas < 2) return operations;
  const bool for_all = shape.gradient_elements > 0;
  const auto others = [&](int first, int end) {
    std::vector<WorkerId> readers;
    for (int replica = first; replica < end; ++replica) readers.push_back({worker.stage, replica});
    return readers;
  };
  const auto exchange = [&](OpKind kind, int reader, std::vector<WorkerId> readers) {
    operations.push_back(builder.add({.kind = kind,
                                      .object = {ObjectKind::buffers, worker.stage, 0, for_all ? 0 : reader},
                                      .readers = std::move(readers),
                                      .retention = for_all ? Retention::next_update : Retention::when_read}));
  };
  if (worker.replica > 0) {
    exchange(OpKind::fetch_buffers, worker.replica, {});
  } else if (for_all) {
    exchange(OpKind::publish_buffers, 0, others(1, plan.replicas));
  } else {
    for (int reader = 1; reader < plan.replicas; ++reader)
      exchange(OpKind::publish_buffers, reader, others(reader, reader + 1));
  }
  return operations;
}

// Releases objects with Retention::next_update. When this worker has done its update of iteration t, every reader V has
// read what this worker published in t-1. The update needed something that V makes only after its own update of t-1,
// and that came after all reads of V in t-1. What it needed is, by the kind of the published object:
//   activation: V is the next stage; its gradient of t was received;
//   gradient:   V is the stage before; its activation of t was received;
//   part:       V owns the shard; its merged shard of t was fetched (an empty shard has no parts). If V is the
//   parameter
//               server, it asks for no part of t before it has summed that of t-1;
//   merged:     V is any other replica; its part of this shard of t was fetched;
//   tied:       V is any other stage that uses the parameter; its share of t was fetched (a worker that reads its own
//               share does so before its update);
//   buffers:    V is any other replica; a merged shard of t was fetched, and V's part of t is in it (with two levels
//               through the owner of a shard in V's row). V made that part after it had fetched the state of t-1.
void append_releases(ProgramBuilder& builder, int update) {
  builder.release_published(update);
}

}  // namespace

Program training_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker) {
  FUNCPIPE_CHECK(static_cast<int>(shapes.size()) == plan.stage_count(), "{} shapes for {} stages", shapes.size(),
                 plan.stage_count());
  const SyncTraits& sync = traits(plan.sync);
  if (worker == kParameterServer) {
    FUNCPIPE_CHECK(sync.server, "{} has no parameter server", to_string(plan.sync));
    return sync.server(plan.replicas, shapes.front().gradient_elements);
  }
  const StageShape& shape = shapes[worker.stage];
  const bool last = worker.stage == plan.stage_count() - 1;
  ProgramBuilder builder(worker);

  const std::vector<int> state = append_shared_state(builder, plan, shape, worker);
  const PipelineOps pipeline = append_pipeline(builder, {.worker = worker,
                                                         .stages = plan.stage_count(),
                                                         .order = plan.order,
                                                         .micro_batches = plan.micro_batches_of(worker.replica),
                                                         .loads = shape.reads_data || last,
                                                         .gradient_elements = shape.gradient_elements});
  sync.append(builder, {.worker = worker,
                        .replicas = plan.replicas,
                        .elements = shape.gradient_elements,
                        .wait_after = pipeline.nearly_done});
  append_tied_exchange(builder, {.worker = worker, .tied = shape.tied, .wait_after = pipeline.last_backward});

  const int update = builder.add({.kind = OpKind::update, .slice = {0, shape.gradient_elements}});
  // The state is exchanged after the whole iteration before has changed it.
  for (const int operation : state) builder.depend(operation, {update, 1});
  if (last) builder.add({.kind = OpKind::report, .after = {{update, 0}}});
  append_releases(builder, update);
  return std::move(builder).finish();
}

}  // namespace funcpipe
