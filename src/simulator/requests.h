// Simulates the requests that workers' connections send to the store, from the first try to the answer.
//
// As in the emulator, a GET first waits for its latency, then it is decided whether the object exists, then its bytes
// flow. A PUT's bytes flow first, then it waits for its latency, then the object exists. A request beyond the store's
// rate moves no bytes and is answered 503; it is repeated as real clients do (base/backoff.h, base/send_rate.h). A wait
// for another worker's object sends GETs at the times of schedule/polling.h.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/send_rate.h"
#include "catalog/bill.h"
#include "schedule/object_wait.h"
#include "schedule/play_state.h"
#include "simulator/event_queue.h"
#include "simulator/links.h"
#include "simulator/simulation.h"

namespace funcpipe {

enum class EventKind : std::uint32_t {
  computed,      // A connection's computation is done.
  ask,           // A connection's request is due for a try.
  send,          // A connection may send the try that its client's rate (SendRate) had delayed.
  answered,      // A connection's try is answered.
  cold_started,  // A worker's instance has started.
  out_of_time,   // A worker's lifetime is over, if its invocation is still the same one.
  fault          // The subject is an index in SimulationOptions::faults.
};

// Future events, and the numbers that put events of equal time in order.
class Agenda {
 public:
  void at(Seconds time, EventKind kind, std::uint32_t subject) {
    queue_.push({{time, ++order_}, static_cast<std::uint32_t>(kind), subject});
  }
  std::uint64_t next_order() { return ++order_; }
  EventQueue& queue() { return queue_; }

 private:
  EventQueue queue_;
  std::uint64_t order_ = 0;
};

// A limit of requests a second. One second's worth of them may come at once.
class RequestRate {
 public:
  explicit RequestRate(double rate) : rate_(rate), left_(rate) {}
  bool has(Seconds now);
  void take() { left_ -= 1; }  // Requires has().
  bool unlimited() const { return std::isinf(rate_); }

 private:
  double rate_, left_;
  Seconds since_ = 0;
};

enum class RequestKind : std::uint8_t { get, wait, put, remove };

class Requests {
 public:
  Requests(const SimulatedFleet& fleet, const PlayState& played, const SimulationOptions& options, Agenda& agenda);

  // `connection` has nothing under way. `use`, `iteration`: what the request is for, so that its draws are its own.
  struct Task {
    RequestKind kind = RequestKind::get;
    double bytes = 0;
    std::int32_t use = 0;  // Index of the operation; negative for requests outside the program.
    std::int64_t iteration = 0;
    const FleetOp* awaited = nullptr;  // For kind wait: the operation that waits.
    std::uint16_t times = 1;           // For kind remove: number of requests, sent one after another.
  };
  void begin(std::uint32_t connection, const Task& task, Seconds now);

  void ask(std::uint32_t connection, Seconds now);
  void send(std::uint32_t connection, Seconds now);
  void answered(std::uint32_t connection, Seconds now);
  // If the next event of a link comes before that of the agenda, executes it and returns true.
  bool link_event(Seconds& now);

  // The object of this operation exists from now on.
  void published(int worker, std::int32_t op, std::int64_t iteration, Seconds now);

  // A new invocation does not know the arrival times that the former one learnt, nor its client's rate and repeats.
  void forget_arrivals(int worker);
  void new_client(int worker);

  // Connections whose request is done. The caller removes them.
  std::vector<std::uint32_t> done;
  std::optional<Error> failure;  // A wait, or the repeats of a request, have reached their limit.

  const Usage& usage(int worker) const { return usage_[static_cast<std::size_t>(worker)]; }
  // Returns when the request that found a wait's object was sent.
  Seconds asked(std::uint32_t connection) const { return waits_[connection].last_asked(); }
  Seconds uploading(int worker, Seconds now) const { return up_.busy(static_cast<std::size_t>(worker), now); }
  Seconds downloading(int worker, Seconds now) const { return down_.busy(static_cast<std::size_t>(worker), now); }
  std::int64_t early_gets(int worker) const { return early_[static_cast<std::size_t>(worker)]; }
  std::int64_t refused(int worker) const { return refused_[static_cast<std::size_t>(worker)]; }

 private:
  struct Request {
    RequestKind kind = RequestKind::get;
    bool refused = false, flowing = false;
    std::uint16_t times = 1;
    std::int32_t use = 0;
    std::int32_t tries = 0;  // Tries since the last answer that was not 503.
    std::uint32_t asks = 0;  // All tries; selects the random numbers.
    const FleetOp* awaited = nullptr;
    std::int64_t iteration = 0;
    double bytes = 0;
    Seconds tried = 0, sent = 0;
  };

  std::size_t operation(int worker, std::int32_t op) const {
    return fleet_.worker(worker).first_op + static_cast<std::size_t>(op);
  }
  void ask_at(Seconds time, std::uint32_t connection, Seconds now);
  void try_again(std::uint32_t connection, Seconds now);
  void not_there(std::uint32_t connection, Seconds now);
  void flow(std::uint32_t connection, Seconds now);
  void flowed(std::uint32_t connection, Seconds now);
  void finish(std::uint32_t connection, Seconds now);
  void await_answer(std::uint32_t connection, Seconds now);
  std::uint64_t random(std::uint32_t connection, std::uint64_t purpose) const;
  bool uploads(const Request& request) const { return request.kind == RequestKind::put; }
  double rate_of(int worker, bool up) const { return rates_[static_cast<std::size_t>(worker) * 2 + (up ? 1 : 0)]; }
  const Polling& polling(int worker) const { return fleet_.worker(worker).model.rent ? patient_polling_ : polling_; }
  Error given_up(const Request& request, int worker, Seconds now) const;

  const SimulatedFleet& fleet_;
  const PlayState& played_;
  const StoreModel& store_;
  const Polling polling_, patient_polling_;  // Of functions; of a parameter server.
  const RetryPolicy retry_;
  const std::uint64_t seed_;
  Agenda& agenda_;
  Links down_, up_;
  RequestRate put_rate_, get_rate_, rate_;
  const bool refuses_;                     // Some rate is limited.
  std::vector<SendRate> send_rates_;       // By worker.
  std::vector<double> rates_;              // Bytes/s by worker: downlink, uplink.
  std::vector<Request> requests_;          // By connection.
  std::vector<ObjectWait> waits_;          // By connection, for kind wait; apart, so a request fills one cache line.
  std::vector<ArrivalEstimate> arrivals_;  // By FleetOp::wait.
  // For Waiting::notified: connections by the operation they wait for. Empty otherwise.
  std::vector<std::vector<std::uint32_t>> waiters_;
  std::vector<Repeats> repeats_;  // By worker.
  std::vector<Usage> usage_;      // By worker.
  std::vector<std::int64_t> early_, refused_;
  std::vector<std::uint32_t> ended_;
};

}  // namespace funcpipe
