// The fleet: the programs of all workers as numbers (schedule/flat_programs.h), with the cost of each operation.
// Objects' names are resolved once, by link(). A program may be deleted once it is added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "schedule/flat_programs.h"

namespace funcpipe {

// The properties of a worker that its program does not tell.
struct WorkerModel {
  std::string function;  // The name under which it is billed.
  int memory_mb = 0;
  double vcpus = 0;
  BytesPerSecond uplink = 0, downlink = 0;  // Infinity means no limit.
  Seconds cold_start = 0;                   // From a new instance's invocation to its first request.
  double stage_bytes = 0;                   // Downloaded at the start; uploaded at the end if stores_stage.
  double snapshot_bytes = 0;                // Uploaded and downloaded at the end of a lifetime.
  double first_data_bytes = -1;  // Downloaded by an invocation's first `load`, and kept; below 0 means no data.
  bool stores_stage = false;     // Stores the trained stage at the end.
  // Price per second of a machine beside the store. Such a worker is not a function: its requests have no latency, its
  // life does not end, and it is billed from the job's start to its end.
  std::optional<Dollars> rent;
};

struct FleetOp {
  double cost = 0;                    // Compute lane: seconds; transfers: bytes; releases: bytes deleted.
  std::int32_t producer_worker = -1;  // The worker that produces the object it waits for; -1 for none.
  std::int32_t producer_op = -1;      // The operation that does, counted from that worker's first.
  std::int32_t wait = -1;             // Number among all operations of the fleet that wait for an object.
  OpKind kind = OpKind::forward;
  Lane lane = Lane::compute;
  StoreRequest store = StoreRequest::none;
  bool updates = false;  // It is the update, which ends its worker's iteration.
  std::uint8_t release_age = 0;
  std::uint16_t requests = 0;  // For a release: number of DELETE requests, of 1000 keys each.
};

class SimulatedFleet {
 public:
  struct Worker {
    WorkerId id;
    WorkerModel model;
    std::uint32_t first_op = 0;              // Its first operation, counted over all workers.
    std::int32_t first_wait = 0, waits = 0;  // Its operations that wait: first FleetOp::wait, and their number.
    bool updates = false;                    // Its program has an update.
  };

  // Adds a worker. `costs` has FleetOp::cost for each operation; those of releases are computed here.
  void add(const Program& program, WorkerModel model, const std::vector<double>& costs);
  // Finds the producer of each object, once all workers are added. Error: failed if an object has none or two.
  Result<> link();

  int size() const { return static_cast<int>(workers_.size()); }
  const Worker& worker(int index) const { return workers_[static_cast<std::size_t>(index)]; }
  const FleetOp& op(const Worker& worker, std::int32_t op) const { return ops_[worker.first_op + op]; }
  const FlatPrograms& programs() const { return programs_; }
  std::int64_t operations() const { return programs_.operations(); }  // Number in one iteration.
  std::int32_t waits() const { return waits_; }

 private:
  struct Object {
    ObjectName name;
    std::int32_t worker, op;
  };

  FlatPrograms programs_;
  std::vector<Worker> workers_;
  std::vector<FleetOp> ops_;
  std::vector<Object> produced_, consumed_;
  std::int32_t waits_ = 0;
};

}  // namespace funcpipe
