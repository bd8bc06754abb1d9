// An iteration is a program: what one worker does, as operations on three lanes with their dependencies. Plain data.
// The worker plays it for real, the simulator in virtual time, the timeline as a picture; the checker proves it sound.
//
// A program is a loop body: it is played once per iteration, and a dependency may reach one iteration back. Nothing
// joins the lanes between iterations, so the data of the next iteration is loaded while this one still synchronises.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"
#include "plan/plan.h"

namespace funcpipe {

enum class Lane : std::uint8_t { compute, download, upload };
inline constexpr int kLanes = 3;

enum class OpKind : std::uint8_t {
  // compute lane
  forward,   // micro_batch
  backward,  // micro_batch; adds to the stage's gradient
  reduce,    // gradient[slice] = gradient[slice] + bytes staged by `source`; operands in that order. Once it is
             // done the staged bytes are free: every fetch has exactly one reduce
  update,    // optimiser step on the whole stage with the synchronised gradient, then gradient = 0
  // download lane
  load,                // micro_batch: the data inputs and, on the last stage, the targets this stage reads
  receive_activation,  // micro_batch, object
  receive_gradient,    // micro_batch, object: gradient of the activations sent for that micro-batch
  fetch_buffers,  // object -> the stage's buffers (every replica evaluates with replica 0's) or, when training, its
                  // shared state (every replica begins an iteration with replica 0's)
  fetch,          // object -> staged under this operation, for one `reduce`
  fetch_into,     // object -> gradient[slice], overwriting it
  // upload lane
  send_activation,  // micro_batch, object
  send_gradient,    // micro_batch, object
  publish,          // gradient[slice] -> object
  publish_buffers,  // the stage's buffers or, when training, its shared state -> object
  report,           // the iteration's loss and counts, for whoever watches; of zero samples where the share is empty
  release,          // deletes `released` of `release_age` iterations ago: every consumer is past them by then.
                    // Nothing to do while iteration < release_age
};
Lane lane_of(OpKind kind);
bool is_producer(OpKind kind);  // publishes Op::object
bool is_consumer(OpKind kind);  // downloads Op::object
std::string_view to_string(OpKind kind);
std::string_view to_string(Lane lane);

enum class ObjectKind : std::uint8_t {
  activation,  // from stage, replica, index = micro-batch
  gradient,    // from stage, replica, index = micro-batch
  part,        // one replica's un-summed shard: from stage, replica, index = shard
  merged,      // a shard summed over replicas: from stage, replica (or the parameter server), index = shard
  buffers,  // a stage's buffers or shared state: from stage, replica 0, index = the replica it is for (who deletes it);
            // 0: for all
  tied,     // a stage's share of a tied parameter's gradient: from stage, replica, index = tied parameter
            // (ModelDescription index)
};

// Names the object within an iteration; content is a function of (job, iteration, name). Published once.
struct ObjectName {
  ObjectKind kind = ObjectKind::activation;
  int stage = 0;    // of the publisher
  int replica = 0;  // of the publisher
  int index = 0;
  auto operator<=>(const ObjectName&) const = default;
};
std::string to_string(const ObjectName& name);  // "activation/s0-r1/m3", "merged/server/shard2"
std::string object_key(const std::string& prefix, std::int64_t iteration, const ObjectName& name);  // "p/i00000012/..."

// Elements of the stage's flat gradient (all trainable parameters of the stage, in order, without gaps).
struct Slice {
  std::int64_t first = 0;
  std::int64_t elements = 0;
  auto operator<=>(const Slice&) const = default;
};

struct Dependency {
  int op = 0;               // index into Program::ops
  int iterations_back = 0;  // 0: this iteration; 1: the one before (met by definition in the first iteration)
  auto operator<=>(const Dependency&) const = default;
};

struct Op {
  OpKind kind = OpKind::forward;
  int micro_batch = -1;              // MicroBatch::index, where the kind has one
  ObjectName object;                 // where the kind moves one
  Slice slice;                       // where the kind touches the gradient
  int source = -1;                   // reduce: the fetch whose bytes it adds
  std::vector<ObjectName> released;  // release
  int release_age = 0;               // release: of how many iterations ago
  std::vector<Dependency> after;
};

struct Program {
  WorkerId worker;
  std::vector<Op> ops;
  // Operation indices in issue order: a lane starts its operations in this order, each once its dependencies are done.
  // A lane may keep several in flight (Player); a program sound for one in flight is sound for more.
  std::array<std::vector<int>, kLanes> lanes;
};

// What the writers must know of a stage besides the plan.
struct StageShape {
  std::int64_t gradient_elements = 0;  // of the stage's flat gradient
  struct Tied {                        // a parameter this stage shares with other stages
    int parameter = 0;                 // ModelDescription parameter index
    Slice slice;                       // where it lies in this stage's flat gradient
    std::vector<int> stages;           // all stages that use it, ascending, this one included
  };
  std::vector<Tied> tied;
  bool has_buffers = false;
  bool shares_state = false;  // some layer has state that replicas must share (LayerDescription::shared_state)
  bool reads_data = true;     // some layer reads the model's data inputs (the last stage also loads targets)
};

// The flat gradient holds the stage's trainable parameters in ascending ModelDescription index.
StageShape stage_shape(const Plan& plan, const ModelDescription& model, int stage);

// The training iteration of one of Plan::workers(): pipeline order and synchronisation as the plan says.
Program training_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

// One forward-only iteration: validation. `plan.global_batch` is the validation set's size here, so a replica's share
// may be empty.
Program evaluation_program(const Plan& plan, const std::vector<StageShape>& shapes, WorkerId worker);

}  // namespace funcpipe
