#include "base/check.h"
#include "schedule/all_reduce_pipelined.h"
#include "schedule/all_reduce_three_phase.h"
#include "schedule/builder.h"
#include "schedule/parameter_server.h"
#include "schedule/pipeline.h"
#include "schedule/program.h"
#include "schedule/tied.h"

namespace funcpipe {
namespace {

bool has_own_reader(const ObjectName& object) {
  return object.kind == ObjectKind::buffers && object.index > 0;
}

// Every replica begins the iteration with replica 0's state. Where the stage sums gradients over its replicas, one
// object serves them all; where it has none to sum, nothing tells replica 0 what the others have read, and each of them
// gets an object of its own, which it deletes itself. Returns the operations that exchange it.
std::vector<int> append_shared_state(ProgramBuilder& builder, const Plan& plan, const StageShape& shape,
                                     WorkerId worker) {
  std::vector<int> operations;
  if (!shape.shares_state || plan.replicas < 2) return operations;
  const bool for_all = shape.gradient_elements > 0;
  const auto object = [&](int reader) {
    return ObjectName{ObjectKind::buffers, worker.stage, 0, for_all ? 0 : reader};
  };
  if (worker.replica > 0) {
    const int fetch = builder.add({.kind = OpKind::fetch_buffers, .object = object(worker.replica)});
    if (!for_all) builder.add({.kind = OpKind::release, .released = {object(worker.replica)}, .after = {{fetch, 0}}});
    return {fetch};
  }
  for (int reader = 1; reader < (for_all ? 2 : plan.replicas); ++reader)
    operations.push_back(builder.add({.kind = OpKind::publish_buffers, .object = object(reader)}));
  return operations;
}

// Every worker deletes, after its update of iteration t, what it published in t-1. Every consumer V of such an object
// is past it, because this worker's update of t needed something V makes only after its own update of t-1, and V's
// update of t-1 came after all V consumed in t-1:
//   activation: V is the next stage; its gradient of t was received;
//   gradient:   V is the stage before; its activation of t was received;
//   part:       V owns the shard; its merged shard of t was fetched (the shard is not empty, or there were no part);
//               so it is where V is the parameter server, which asks for no part of t before it has summed that of t-1;
//   merged:     every other replica V; its part of this shard of t was fetched;
//   tied:       every other user V; its share of t was fetched. (Its own share it fetched itself before its update.)
//   buffers:    every other replica V; a merged shard of t was fetched, and V's part of t is in it. V made that after
//   it
//               had fetched the state of t-1. Those with a reader of their own the reader deletes.
void append_release(ProgramBuilder& builder, int update) {
  std::vector<ObjectName> published;
  for (const Op& op : builder.program().ops) {
    if (is_producer(op.kind) && !has_own_reader(op.object)) published.push_back(op.object);
  }
  if (published.empty()) return;
  builder.add({.kind = OpKind::release, .released = std::move(published), .release_age = 1, .after = {{update, 0}}});
}

}  // namespace

Program training_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker) {
  FUNCPIPE_CHECK(static_cast<int>(shapes.size()) == plan.stage_count(), "{} shapes for {} stages", shapes.size(),
                 plan.stage_count());
  if (worker == kParameterServer) return parameter_server_program(plan, shapes.front());
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
  const AllReduceOptions all_reduce{.worker = worker,
                                    .replicas = plan.replicas,
                                    .elements = shape.gradient_elements,
                                    .wait_after = pipeline.nearly_done};
  switch (plan.sync) {
    case SyncAlgorithm::three_phase:
      append_all_reduce_three_phase(builder, all_reduce);
      break;
    case SyncAlgorithm::pipelined:
      append_all_reduce_pipelined(builder, all_reduce);
      break;
    case SyncAlgorithm::parameter_server:
      append_push_and_pull(builder, all_reduce);
      break;
  }
  append_tied_exchange(builder, {.worker = worker, .tied = shape.tied, .wait_after = pipeline.last_backward});

  const int update = builder.add({.kind = OpKind::update, .slice = {0, shape.gradient_elements}});
  // The state of an iteration is what all of it has made.
  for (const int operation : state) builder.depend(operation, {update, 1});
  if (last) builder.add({.kind = OpKind::report, .after = {{update, 0}}});
  append_release(builder, update);
  return std::move(builder).finish();
}

}  // namespace funcpipe
