// Tensors to and from the store under a worker's object names (schedule/program.h), in the format of protocol/wire.h.
// Objects are created if absent: what a late twin of this worker publishes changes nothing others have read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "protocol/waiting_worker.h"
#include "schedule/program.h"
#include "store/store.h"
#include "worker/arrival.h"

namespace funcpipe {

// A slice of another worker's gradient, as it arrived.
struct ReceivedSlice {
  at::Tensor object;   // owns the memory
  ConstBytes bytes;    // float32 elements
  ConstBytes reached;  // of each parameter that begins in the slice, in order: 1 if some backward reached it, else 0
};

// When the request was sent that found the object of operation `op`. Called from several threads.
using ArrivalObserver = std::function<void(int op, std::int64_t iteration, Seconds asked)>;

// Thread-safe. Waits have the limit given; a time-out says who waits for whom. While a wait is long, and after it
// reached its limit, waiting_key says so, for the client to find whom all wait for.
class Exchange {
 public:
  // Objects lie under `prefix`. `clock` has the platform's seconds: when to ask for an object weighs the price of a GET
  // against that of a function's time.
  Exchange(Store& store, Clock& clock, std::string prefix, WorkerId worker, Seconds wait_limit,
           ArrivalObserver observe = {});

  // A tuple of tensors, which arrive with the strides they left with: another layout may choose another kernel, with
  // other bits. Only elements travel, no gaps between them, and of those that an expanded tensor repeats one
  // (docs/formats/tensors.md).
  Result<> send(std::int64_t iteration, const ObjectName& name, std::span<const at::Tensor> tensors,
                std::stop_token stop = {});
  Result<std::vector<at::Tensor>> receive(const Op& op, int index, std::int64_t iteration, std::stop_token stop);

  // What was received in this iteration, which its publisher keeps until the next. Error: not_found.
  Result<std::vector<at::Tensor>> receive_again(std::int64_t iteration, const ObjectName& name);

  // A slice of the gradient and what is reached of it, as in ReceivedSlice.
  Result<> publish(std::int64_t iteration, const Op& op, ConstBytes slice, ConstBytes reached,
                   std::stop_token stop = {});
  Result<ReceivedSlice> fetch(const Op& op, int index, std::int64_t iteration, std::stop_token stop);

  Result<> release(std::int64_t iteration, std::span<const ObjectName> names, std::stop_token stop = {});

  // From here on released objects stay, for workers that are replayed: whoever calls this removes them
  // (worker/collector.h). An object that `is_collected` says is gone for good is not published again. Before any
  // operation.
  void keep(std::function<bool(std::int64_t iteration, const ObjectName& name)> is_collected);

 private:
  static Result<std::vector<at::Tensor>> tensors_in(const at::Tensor& object, const std::string& key);
  Result<at::Tensor> wait_for(const Op& op, int index, std::int64_t iteration, std::stop_token stop);
  void note_waiting(const WaitingWorker& waiting);
  void waiting_ended(const WaitingWorker& waiting, bool gave_up);

  Store& store_;
  Clock& clock_;
  const std::string prefix_;
  const WorkerId worker_;
  const Polling polling_;
  const ArrivalObserver observe_;
  ArrivalEstimates arrivals_;
  std::function<bool(std::int64_t, const ObjectName&)> is_collected_;  // empty: released objects are removed
  std::mutex mutex_;                                                   // guards what follows
  int long_waits_ = 0;                                                 // under way
};

}  // namespace funcpipe
