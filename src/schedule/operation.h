// Operations, the objects they move and the memory they touch. What an operation is, is said once, in a table of traits
// by kind: the builder derives dependencies from it, the checker finds races, the executor finds its memory, the
// simulator its requests, the timeline its colour and words. A new kind is a new row.
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
  reduce,    // gradient[slice] = gradient[slice] + bytes staged by `source`; operands in that order. Once it is
             // done the staged bytes are free: every fetch has exactly one reduce
  update,    // optimiser step on parameters[slice] with the synchronised gradient[slice], then gradient[slice] = 0
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
  release,          // deletes `released` of `release_age` iterations ago: every reader is past them by then. Nothing to
                    // do while iteration < release_age. The builder adds these
};
inline constexpr int kOpKinds = 16;

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

inline constexpr int kObjectKinds = 6;

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

// Elements of the stage's flat gradient, or of its trainable parameters, which lie in the same order without gaps.
struct Slice {
  std::int64_t first = 0;
  std::int64_t elements = 0;
  auto operator<=>(const Slice&) const = default;
};
inline constexpr Slice kWhole{0, std::numeric_limits<std::int64_t>::max()};
bool overlap(const Slice& a, const Slice& b);

struct Dependency {
  int op = 0;               // index into Program::ops
  int iterations_back = 0;  // 0: this iteration; 1: the one before (met by definition in the first iteration)
  auto operator<=>(const Dependency&) const = default;
};

// How long an object is kept, as who publishes it and who takes it agree.
enum class Retention : std::uint8_t {
  next_update,  // until its publisher's next update, before which every reader has told the publisher that it is past
                // it
  when_read     // until its one reader has taken it, who deletes it
};

struct Op {
  OpKind kind = OpKind::forward;
  int micro_batch = -1;                          // MicroBatch::index, where the kind has one
  ObjectName object;                             // where the kind moves one
  std::vector<WorkerId> readers;                 // where it publishes one: who takes it
  Retention retention = Retention::next_update;  // of `object`
  Slice slice;                                   // where the kind touches some of the gradient or the parameters
  int source = -1;                               // reduce: the fetch whose bytes it adds
  std::vector<ObjectName> released;              // release
  int release_age = 0;                           // release: of how many iterations ago
  std::vector<Dependency> after;
};

// A worker's memory, as far as operations share it.
enum class Buffer : std::uint8_t {
  // From one iteration to the next:
  gradient,         // flat, of all trainable parameters
  parameters,       // likewise
  optimizer_state,  // likewise
  state,            // what else a forward changes: buffers, shared state
  staged,           // what one fetch brought, for one reduce
  // Of one micro-batch of one iteration:
  data,             // rows of the data set
  input,            // the border before, as received
  activations,      // what a backward needs of its forward
  output,           // the border after, to be sent
  output_gradient,  // the gradient of `output`, as received
  input_gradient,   // the gradient of `input`, to be sent
};
inline constexpr int kBuffers = 11;
std::string_view to_string(Buffer buffer);  // "gradient", "kept activations"
// Whether what one iteration leaves there is met by the next one.
bool lasts(Buffer buffer);

enum class Access : std::uint8_t {
  read,
  read_if_made,  // a stage without data has none to read
  write,
  add,  // reads and writes; sums have a fixed order, so additions are ordered as writes are
};
inline bool writes(Access access) {
  return access == Access::write || access == Access::add;
}

// Which part of a buffer an operation touches.
enum class Extent : std::uint8_t {
  whole,
  slice,        // Op::slice
  micro_batch,  // that of Op::micro_batch
  own,          // staged under this operation
  source,       // staged under Op::source
};

struct Touch {
  Buffer buffer;
  Access access;
  Extent extent;
};

// What an operation asks of the store.
enum class StoreRequest : std::uint8_t {
  none,
  publish,    // uploads Op::object
  take,       // downloads Op::object, once it is there
  read_data,  // rows of the data set
  report,     // what whoever watches the job reads
  remove,     // Op::released
};

// What an operation is for: the seconds it costs and the colour it has.
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
  std::string_view name;  // "send_activation"
  std::string_view
      words;  // for a person: "forward", "download of the data"; of an operation that moves an object: empty
  Lane lane = Lane::compute;
  StoreRequest store = StoreRequest::none;
  Purpose purpose = Purpose::forward;
  std::uint8_t objects = 0;  // the kinds of object it may move: bits 1 << ObjectKind
  std::array<Touch, kMostTouches> touched{};
  std::uint8_t touches = 0;  // of `touched`

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
// How it touches the buffer; nullptr: not at all.
const Touch* touch_of(OpKind kind, Buffer buffer);
// Steps the optimiser, which ends a worker's iteration.
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
  int index = 0;  // the micro-batch, or the operation that staged it; else 0
  Slice slice;    // kWhole where the buffer has no elements of its own
};
// `op` is Program::ops[index].
Place place_of(const Touch& touch, const Op& op, int index);
std::string to_string(const Place& place);  // "gradient", "output of micro-batch 3"

}  // namespace funcpipe
