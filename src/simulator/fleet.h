// All workers' programs as numbers: how they are played (schedule/flat_programs.h) and what each operation costs. Names
// are resolved once, when the fleet is linked; a program is not needed any more once it is added.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "schedule/flat_programs.h"

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
  std::int32_t wait = -1;  // running number among the operations that wait for an object
  OpKind kind = OpKind::forward;
  Lane lane = Lane::compute;
  StoreRequest store = StoreRequest::none;
  bool updates = false;  // ends its worker's iteration
  std::uint8_t release_age = 0;
  std::uint16_t requests = 0;  // release: DELETE requests of a thousand keys each
};

class SimulatedFleet {
 public:
  struct Worker {
    WorkerId id;
    WorkerModel model;
    std::uint32_t first_op = 0;  // in `ops`
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
  const FlatPrograms& programs() const { return programs_; }
  std::int64_t operations() const { return programs_.operations(); }  // of an iteration
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
