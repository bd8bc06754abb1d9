// Simulates a job in virtual time: the programs that real workers play, on modelled links and a modelled store, with
// cold starts, lifetimes, replacement of functions, faults and the bill. docs/algorithms.md, "Simulating".
//
// A simulation is a function of its input: the same fleet, options and seed give the same events, bit by bit, on every
// machine.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "catalog/bill.h"
#include "catalog/platform.h"
#include "schedule/life_course.h"
#include "schedule/op_event.h"
#include "simulator/faults.h"
#include "simulator/fleet.h"
#include "simulator/latency.h"

namespace funcpipe {

struct StoreModel {
  static constexpr double kUnlimited = std::numeric_limits<double>::infinity();
  LatencyDistribution put{0, 0}, get{0, 0};  // Time until an answer begins.
  Burst burst;                               // Token bucket of each worker's links.
  // Limits of all workers together.
  BytesPerSecond most_up = kUnlimited, most_down = kUnlimited;
  // Requests a second, of PUTs, of GETs and of both. One second's worth may come at once; further ones get a 503.
  double put_rate = kUnlimited, get_rate = kUnlimited, request_rate = kUnlimited;
};

// How a worker learns that another worker's object exists.
enum class Waiting {
  polling,  // It polls, as a real worker does (schedule/polling.h).
  notified  // It is told at once and then sends its GET, which is what the planner's formulas assume.
};

struct SimulationOptions {
  StoreModel store;
  std::int64_t iterations = 1;
  int download_connections = 4, upload_connections = 4;
  Seconds lifetime = std::numeric_limits<double>::infinity();  // Of an invocation, from its first request.
  Seconds billing_step = 0.001;
  Waiting waiting = Waiting::polling;
  Seconds wait_limit = 120;        // Longest wait for another worker's object.
  std::int64_t report_every = 10;  // Iterations between reports.
  std::uint64_t seed = 1;          // Seed of latencies and of the pauses before a refused request is repeated.
  std::vector<Fault> faults;
};

// Time in which the compute lane had an operation, and in which the uplink or the downlink had a transfer.
struct Busy {
  Seconds computing = 0, uploading = 0, downloading = 0;
};

struct WorkerResult {
  Busy whole;         // From its first invocation to the end.
  Busy steady;        // From the end of its first iteration to the end of its last one.
  Seconds ended = 0;  // End of its last invocation.
  std::int64_t invocations = 0;
  std::int64_t early_gets = 0;  // GETs that found nothing.
  std::int64_t refused = 0;     // Requests that were answered 503.
};

struct SimulationResult {
  // When iteration i ended, that is, when its last worker had updated. A job that fails has fewer elements.
  std::vector<Seconds> iterations;
  struct Requests {
    std::int64_t put = 0, get = 0;
  };
  std::vector<Requests> requests;  // By iteration: requests of all workers that were answered by its end.
  Seconds first_forward = 0;       // When the job's first forward began.
  Seconds total = 0;               // From the invocation of all workers to the end of the last one.
  Bill bill;                       // By WorkerModel::function.
  double stored_byte_seconds = 0;  // Bytes in the store, summed over time.
  std::vector<WorkerResult> workers;
  std::int64_t operations = 0, events = 0;
  std::optional<Error> failure;  // Why the job ended early, with the error of a real job.

  // Returns the time between the ends of iterations i-1 and i; for i = 0, the time from the first forward.
  Seconds seconds_of(std::size_t iteration) const {
    return iterations[iteration] - (iteration == 0 ? first_forward : iterations[iteration - 1]);
  }
  // Returns the median of seconds_of() without the first iteration, unless it is the only one.
  Seconds median_seconds() const;
};

// Returns the longest time of any worker for replacing its function, for LifeForecast.
HandOver longest_hand_over(const SimulatedFleet& fleet, const StoreModel& store);

// Called for every operation when it ends.
using FleetObserver = std::function<void(int worker, const OpEvent&)>;
// Called every 2^18 events.
using SimulationProgress = std::function<void(std::int64_t iterations_done, Seconds now)>;

// Runs a simulation. Errors: invalid_input if a fault names a worker that does not exist; failed if operations wait for
// each other; cancelled. A job that ends early is not an error: SimulationResult::failure says why it did. Thread-safe.
Result<SimulationResult> simulate(const SimulatedFleet& fleet, const SimulationOptions& options,
                                  const FleetObserver& observe = {}, const SimulationProgress& progress = {},
                                  std::stop_token stop = {});

}  // namespace funcpipe
