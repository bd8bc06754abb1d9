// All workers' programs as flat arrays of numbers: what the simulator's loop walks. Names are resolved once, when the
// fleet is linked; a program is not needed any more once it is added.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "schedule/program.h"

namespace funcpipe {

// A worker besides its program.
struct WorkerModel {
  std::string function;  // it is billed under this name
  int memory_mb = 0;
  double vcpus = 0;
  BytesPerSecond uplink = 0, downlink = 0;  // infinity: no limit
  Seconds cold_start = 0;                   // of a new instance, to its first request
  double stage_bytes = 0;                   // read at the start, stored trained at the end
  double snapshot_bytes = 0;                // saved and read where a lifetime ends
  double first_data_bytes = -1;  // an invocation's first `load` reads them, later ones find them here; < 0: none
  bool stores_stage = false;     // at the end
  // Per second, of a machine beside the store, which is no function: its requests wait for no latency, no lifetime
  // ends, and it is billed from the job's start to its end.
  std::optional<Dollars> rent;
};

struct FleetOp {
  double cost = 0;                    // compute lane: seconds; transfers: bytes; release: bytes given back
  std::int32_t producer_worker = -1;  // of the object it waits for
  std::int32_t producer_op = -1;
  std::uint32_t successors = 0;  // index of its first one; they end where the next operation's begin
  std::int32_t wait = -1;        // running number among the operations that wait for an object
  OpKind kind = OpKind::forward;
  Lane lane = Lane::compute;
  std::uint8_t release_age = 0;
  std::uint16_t requests = 0;  // release: DELETE requests of a thousand keys each
};

// An operation of the same worker that waits for this one.
struct Successor {
  std::uint32_t op : 31;
  std::uint32_t next_iteration : 1;
};

class SimulatedFleet {
 public:
  struct Worker {
    WorkerId id;
    WorkerModel model;
    std::uint32_t first_op = 0, ops = 0;            // in `ops`
    std::array<std::uint32_t, kLanes + 1> lanes{};  // where each lane's operations begin in `lane_ops`, and the end
    std::int32_t first_wait = 0, waits = 0;
    bool updates = false;  // has an update, which ends its iteration
  };

  // `costs`: of each operation (FleetOp::cost); those of releases are counted here.
  void add(const Program& program, WorkerModel model, const std::vector<double>& costs);
  // Once all are added. Errors: failed: an object without a producer or with two.
  Result<> link();

  int size() const { return static_cast<int>(workers_.size()); }
  const Worker& worker(int index) const { return workers_[static_cast<std::size_t>(index)]; }
  const FleetOp& op(const Worker& worker, std::int32_t op) const { return ops_[worker.first_op + op]; }
  const std::vector<FleetOp>& ops() const { return ops_; }
  const Successor* successors(std::uint32_t op) const { return successors_.data() + ops_[op].successors; }
  const Successor* successors_end(std::uint32_t op) const { return successors_.data() + ops_[op + 1].successors; }
  const std::vector<std::int32_t>& lane_ops() const { return lane_ops_; }
  // Of each operation: how many it waits for.
  const std::vector<std::int32_t>& dependencies() const { return dependencies_; }
  std::int64_t operations() const { return static_cast<std::int64_t>(dependencies_.size()); }  // of an iteration
  std::int32_t waits() const { return waits_; }

 private:
  struct Object {
    ObjectName name;
    std::int32_t worker, op;
  };

  std::vector<Worker> workers_;
  std::vector<FleetOp> ops_;
  std::vector<Successor> successors_;
  std::vector<std::int32_t> lane_ops_;
  std::vector<std::int32_t> dependencies_;
  std::vector<Object> produced_, consumed_;
  std::int32_t waits_ = 0;
};

}  // namespace funcpipe
