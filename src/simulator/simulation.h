// A job in virtual time: the very programs that workers play, on modelled links and a modelled store, with cold starts,
// lifetimes, replacement and faults, and the bill of it. docs/algorithms.md, "Simulating".
//
// A simulation is a function of its input: same fleet, options and seed give the same events to the bit, on any
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
  LatencyDistribution put{0, 0}, get{0, 0};  // until an answer begins
  Burst burst;                               // of each worker's links
  // Of all workers together, each way; the store's account has them where it has any.
  BytesPerSecond most_up = kUnlimited, most_down = kUnlimited;
  // Requests a second; more get a 503, after one second's worth of them at once.
  double put_rate = kUnlimited, get_rate = kUnlimited, request_rate = kUnlimited;  // the last: PUTs and GETs together
};

// How a worker learns that another's object is there.
enum class Waiting {
  polling,  // as the real one (schedule/polling.h)
  notified  // it is told at once, and its GET goes out: what formulas assume
};

struct SimulationOptions {
  StoreModel store;
  std::int64_t iterations = 1;
  int download_connections = 4, upload_connections = 4;
  Seconds lifetime = std::numeric_limits<double>::infinity();  // of an invocation, from its first request
  Seconds billing_step = 0.001;
  Waiting waiting = Waiting::polling;
  Seconds wait_limit = 120;        // for another worker's object
  std::int64_t report_every = 10;  // iterations
  std::uint64_t seed = 1;          // of latencies and of the pauses before a refused request is repeated
  std::vector<Fault> faults;
};

// Seconds with an operation of the compute lane, with bytes on the uplink, on the downlink.
struct Busy {
  Seconds computing = 0, uploading = 0, downloading = 0;
};

struct WorkerResult {
  Busy whole;         // from its first invocation to the end
  Busy steady;        // from the end of its first iteration to that of its last
  Seconds ended = 0;  // its last invocation
  std::int64_t invocations = 0;
  std::int64_t early_gets = 0;  // that found nothing
  std::int64_t refused = 0;     // requests answered 503
};

struct SimulationResult {
  // Iteration i is over at iterations[i], when its last worker has updated. A job that fails has fewer.
  std::vector<Seconds> iterations;
  struct Requests {
    std::int64_t put = 0, get = 0;
  };
  std::vector<Requests> requests;  // of all workers, answered by then
  Seconds first_forward = 0;       // of the job, where the first iteration begins
  Seconds total = 0;               // from the invocation of all workers to the end of the last
  Bill bill;                       // by WorkerModel::function
  double stored_byte_seconds = 0;
  std::vector<WorkerResult> workers;
  std::int64_t operations = 0, events = 0;
  std::optional<Error> failure;  // why the job ended early, as the real one would say

  // Between the ends of iterations i-1 and i; of the first one from the first forward.
  Seconds seconds_of(std::size_t iteration) const {
    return iterations[iteration] - (iteration == 0 ? first_forward : iterations[iteration - 1]);
  }
  Seconds median_seconds() const;  // of those after the first, if there are any
};

// What replacing a function takes: the longest of any worker's, as LifeSpan is told.
HandOver longest_hand_over(const SimulatedFleet& fleet, const StoreModel& store);

// Operations as they end, by worker.
using FleetObserver = std::function<void(int worker, const OpEvent&)>;
// Called now and then.
using SimulationProgress = std::function<void(std::int64_t iterations_done, Seconds now)>;

// Errors: invalid_input (a fault of a worker there is not), failed (programs that wait for each other), cancelled.
Result<SimulationResult> simulate(const SimulatedFleet& fleet, const SimulationOptions& options,
                                  const FleetObserver& observe = {}, const SimulationProgress& progress = {},
                                  std::stop_token stop = {});

}  // namespace funcpipe
