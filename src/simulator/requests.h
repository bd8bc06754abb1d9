// The store as workers meet it: what each request of a connection goes through, from the first try to its answer.
//
// A GET waits out its latency, then it is decided whether the object exists, then its bytes flow; a PUT's bytes flow,
// then it waits out its latency, then the object exists. (So it is in the emulator.) A request beyond the store's rate
// moves no bytes; its answer says 503, and it is repeated as the clients repeat (base/backoff.h, base/send_rate.h). A
// wait for another worker's object asks when schedule/polling.h says.
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
  computed,      // of a connection: its operation is done
  ask,           // of a connection: a try of its request is due
  send,          // of a connection: its turn has come
  answered,      // of a connection: its try is answered
  cold_started,  // of a worker
  out_of_time,   // of a worker: its invocation's lifetime is over, if it is still the same one
  fault          // index in SimulationOptions::faults
};

// Events to come, in an order of their own.
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

// Requests a second, and a second's worth of them at once.
class RequestRate {
 public:
  explicit RequestRate(double rate) : rate_(rate), left_(rate) {}
  bool has(Seconds now);
  void take() { left_ -= 1; }  // after has()
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
    std::int32_t use = 0;  // index of the operation; negative: outside the program
    std::int64_t iteration = 0;
    const FleetOp* awaited = nullptr;  // kind wait
    std::uint16_t times = 1;           // kind remove: requests, one after the other
  };
  void begin(std::uint32_t connection, const Task& task, Seconds now);

  void ask(std::uint32_t connection, Seconds now);
  void send(std::uint32_t connection, Seconds now);
  void answered(std::uint32_t connection, Seconds now);
  // The next event of a link, if it is before the agenda's: true, and it has happened.
  bool link_event(Seconds& now);

  // This operation's object is there from now on.
  void published(int worker, std::int32_t op, std::int64_t iteration, Seconds now);

  // A new invocation knows nothing of its predecessor's.
  void forget_arrivals(int worker);
  void new_client(int worker);

  // Connections whose request is done. The caller takes them out.
  std::vector<std::uint32_t> done;
  std::optional<Error> failure;  // a wait or repeats that came to their limit

  const Usage& usage(int worker) const { return usage_[static_cast<std::size_t>(worker)]; }
  // When the request that found a wait's object was sent.
  Seconds asked(std::uint32_t connection) const { return requests_[connection].wait.last_asked(); }
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
    std::int32_t tries = 0;  // of this request
    std::uint32_t asks = 0;  // tries of all requests
    const FleetOp* awaited = nullptr;
    std::int64_t iteration = 0;
    double bytes = 0;
    Seconds tried = 0, sent = 0;
    ObjectWait wait;  // kind wait
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
  const Polling polling_, patient_polling_;  // of functions, of a parameter server
  const RetryPolicy retry_;
  const std::uint64_t seed_;
  Agenda& agenda_;
  Links down_, up_;
  RequestRate put_rate_, get_rate_, rate_;
  const bool refuses_;                // whether any of them ever does
  std::vector<SendRate> send_rates_;  // by worker
  std::vector<double> rates_;         // bytes/s, by worker: down, up
  std::vector<Request> requests_;     // by connection
  std::vector<ArrivalEstimate> arrivals_;
  std::vector<std::vector<std::uint32_t>> waiters_;  // Waiting::notified: connections, by the operation they wait for
  std::vector<Repeats> repeats_;                     // by worker, of its client
  std::vector<Usage> usage_;                         // by worker
  std::vector<std::int64_t> early_, refused_;
  std::vector<std::uint32_t> ended_;
};

}  // namespace funcpipe
