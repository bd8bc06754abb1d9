// Operations, the objects they move and the memory they touch. A table of traits (operation.cpp) says for each kind of
// operation what it does. The builder derives dependencies from it, the checker finds races with it, the worker looks
// up memory in it, the simulator requests, and the timeline colours and words. A new kind is a new row of the table.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "plan/plan.h"

namespace funcpipe {

enum class Lane : std::uint8_t { compute, download, upload };
inline constexpr int kLanes = 3;
std::string_view to_string(Lane lane);

enum class OpKind : std::uint8_t {
  // compute lane
  forward,   // micro_batch
  backward,  // micro_batch; adds to gradient[slice]
  reduce,    // gradient[slice] = gradient[slice] + elements staged by `source`, operands in that order; frees the
             // staged bytes, so every fetch has exactly one reduce
  update,    // optimiser step on parameters[slice] with the synchronised gradient[slice], then gradient[slice] = 0
  // download lane
  load,                // micro_batch: the data inputs and, on the last stage, the targets this stage reads
  receive_activation,  // micro_batch, object
  receive_gradient,    // micro_batch, object: gradient of the activations sent for that micro-batch
  fetch_buffers,  // object -> the stage's buffers, in an evaluation, or its shared state, in training: every replica
                  // uses those of replica 0
  fetch,          // object -> staged under this operation, for one `reduce`
  fetch_into,     // object -> gradient[slice], overwriting it
  // upload lane
  send_activation,  // micro_batch, object
  send_gradient,    // micro_batch, object
  publish,          // gradient[slice] -> object
  publish_buffers,  // the stage's buffers or, in training, its shared state -> object
  report,           // publishes the iteration's loss and counts for the client; zero samples if the share is empty
  release,          // deletes the objects `released` of `release_age` iterations ago, which all readers have read by
                    // then; does nothing while iteration < release_age; added by the builder
};
inline constexpr int kOpKinds = 16;

enum class ObjectKind : std::uint8_t {
  activation,  // from stage, replica, index = micro-batch
  gradient,    // from stage, replica, index = micro-batch
  part,        // one replica's shard before it is summed: from stage, replica, index = shard
  merged,      // a shard summed over replicas: from stage, replica (or the parameter server), index = shard
  buffers,  // a stage's buffers or shared state: from stage, replica 0, index = the replica that reads and deletes it,
            // or 0 if all replicas read it
  tied,     // a stage's share of a tied parameter's gradient: from stage, replica, index = tied parameter
            // (ModelDescription index)
};

inline constexpr int kObjectKinds = 6;

// Names an object within an iteration. It is published once, and its content is a function of (job, iteration, name).
struct ObjectName {
  ObjectKind kind = ObjectKind::activation;
  int stage = 0;    // The publisher's stage.
  int replica = 0;  // The publisher's replica.
  int index = 0;
  auto operator<=>(const ObjectName&) const = default;
};
std::string to_string(const ObjectName& name);  // "activation/s0-r1/m3", "merged/server/shard2"
std::string object_key(const std::string& prefix, std::int64_t iteration, const ObjectName& name);  // "p/i00000012/..."

// A range of elements of the stage's flat gradient, or of its trainable parameters, which have the same order and no
// gaps.
struct Slice {
  std::int64_t first = 0;
  std::int64_t elements = 0;
  auto operator<=>(const Slice&) const = default;
};
inline constexpr Slice kWhole{0, std::numeric_limits<std::int64_t>::max()};
bool overlap(const Slice& a, const Slice& b);

struct Dependency {
  int op = 0;               // Index into Program::ops.
  int iterations_back = 0;  // 0: of this iteration; 1: of the one before, which counts as met in the first iteration.
  auto operator<=>(const Dependency&) const = default;
};

// How long an object is kept. Its publisher and its readers give the same value.
enum class Retention : std::uint8_t {
  next_update,  // The publisher deletes it after its update of the next iteration, when all readers have read it.
  when_read     // Its only reader deletes it after reading.
};

struct Op {
  OpKind kind = OpKind::forward;
  int micro_batch = -1;                          // MicroBatch::index, for kinds that work on one micro-batch.
  ObjectName object;                             // For kinds that move an object.
  std::vector<WorkerId> readers;                 // For kinds that publish an object: who reads it.
  Retention retention = Retention::next_update;  // Of `object`.
  Slice slice;                                   // For kinds that touch a part of the gradient or the parameters.
  int source = -1;                               // For reduce: the fetch whose elements it adds.
  std::vector<ObjectName> released;              // For release: the objects to delete.
  int release_age = 0;                           // For release: how many iterations ago they were published.
  std::vector<Dependency> after;                 // What has to be done before it starts.
};

// The parts of a worker's memory that operations share.
enum class Buffer : std::uint8_t {
  // These last from one iteration to the next.
  gradient,         // flat, of all trainable parameters
  parameters,       // all trainable parameters
  optimizer_state,  // of all trainable parameters
  state,            // other memory that a forward changes: buffers, shared state
  staged,           // the elements that one fetch has downloaded for one reduce
  // These belong to one micro-batch of one iteration.
  data,             // rows of the data set
  input,            // tensors received from the stage before
  activations,      // what a forward keeps for its backward
  output,           // tensors to be sent to the next stage
  output_gradient,  // the gradient of `output`, as received
  input_gradient,   // the gradient of `input`, to be sent
};
inline constexpr int kBuffers = 11;
std::string_view to_string(Buffer buffer);  // "gradient", "kept activations"
// Returns whether a buffer lasts from one iteration to the next.
bool lasts(Buffer buffer);

enum class Access : std::uint8_t {
  read,
  read_if_made,  // reads if something was written there: a stage that loads no data has none to read
  write,
  add,  // reads and writes; additions keep their order as writes do, because it decides the bits of a sum
};
inline bool writes(Access access) {
  return access == Access::write || access == Access::add;
}

// Which part of a buffer an operation touches.
enum class Extent : std::uint8_t {
  whole,
  slice,        // elements Op::slice
  micro_batch,  // the part of Op::micro_batch
  own,          // what this operation has staged
  source,       // what operation Op::source has staged
};

struct Touch {
  Buffer buffer;
  Access access;
  Extent extent;
};

// What an operation requests from the store.
enum class StoreRequest : std::uint8_t {
  none,
  publish,    // uploads Op::object
  take,       // waits for Op::object and downloads it
  read_data,  // downloads rows of the data set
  report,     // uploads the report that the client reads
  remove,     // deletes Op::released
};

// What an operation is for. Its time is counted, and its colour chosen, by purpose.
enum class Purpose : std::uint8_t {
  forward,
  backward,
  update,
  sum,
  activation,
  gradient,
  synchronisation,
  data,
  housekeeping,
};
inline constexpr int kPurposes = 9;

struct OpTraits {
  static constexpr int kMostTouches = 6;
  std::string_view name;   // "send_activation"
  std::string_view words;  // For the user: "forward", "download of the data". Empty if it moves an object.
  Lane lane = Lane::compute;
  StoreRequest store = StoreRequest::none;
  Purpose purpose = Purpose::forward;
  std::uint8_t objects = 0;  // The kinds of object that it may move, as bits 1 << ObjectKind.
  std::array<Touch, kMostTouches> touched{};
  std::uint8_t touches = 0;  // How many elements of `touched` are used.

  const Touch* begin() const { return touched.data(); }
  const Touch* end() const { return touched.data() + touches; }
  bool may_move(ObjectKind kind) const { return (objects >> static_cast<int>(kind) & 1) != 0; }
};
const OpTraits& traits(OpKind kind);

inline Lane lane_of(OpKind kind) {
  return traits(kind).lane;
}
inline bool is_producer(OpKind kind) {
  return traits(kind).store == StoreRequest::publish;
}
inline bool is_consumer(OpKind kind) {
  return traits(kind).store == StoreRequest::take;
}
// Returns how operations of a kind touch a buffer; nullptr if they do not.
const Touch* touch_of(OpKind kind, Buffer buffer);
// Returns whether the kind is an optimiser step, which ends a worker's iteration.
inline bool is_update(OpKind kind) {
  const Touch* const touch = touch_of(kind, Buffer::parameters);
  return touch && writes(touch->access);
}
inline std::string_view to_string(OpKind kind) {
  return traits(kind).name;
}

// One place in a worker's memory that an operation touches.
struct Place {
  Buffer buffer = Buffer::gradient;
  int index = 0;  // The micro-batch, or the operation that staged it; else 0.
  Slice slice;    // kWhole if the buffer is not divided into elements.
};
// Returns the place that `op`, which is Program::ops[index], touches.
Place place_of(const Touch& touch, const Op& op, int index);
std::string to_string(const Place& place);  // "gradient", "output of micro-batch 3"

}  // namespace funcpipe
