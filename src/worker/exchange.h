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

// A received slice of another worker's gradient.
struct ReceivedSlice {
  at::Tensor object;  // owns the memory of the two below
  ConstBytes bytes;   // float32 elements
  // One byte for each parameter that begins in the slice, in order: 1 if a backward pass reached it, else 0.
  ConstBytes reached;
};

// Is told when the GET was sent that found the object of operation `op`. Called from several threads.
using ArrivalObserver = std::function<void(int op, std::int64_t iteration, Seconds asked)>;

// Thread-safe. Each wait has the limit given, and its time-out says who waits for whom. A worker that waits for long
// says so in the object waiting_key. The object stays if the wait reaches its limit, and the client finds there whom
// all wait for.
class Exchange {
 public:
  // All objects are below `prefix`. `clock` must count the platform's seconds, because the pauses between GETs weigh
  // the price of a GET against that of a function's time.
  Exchange(Store& store, Clock& clock, std::string prefix, WorkerId worker, Seconds wait_limit,
           ArrivalObserver observe = {});

  // Sends a tuple of tensors. They arrive with the same strides, because PyTorch might choose another kernel for
  // another layout and compute other bits. Only elements are sent: no gaps between them, and only one of those that an
  // expanded tensor repeats (docs/formats/tensors.md).
  Result<> send(std::int64_t iteration, const ObjectName& name, std::span<const at::Tensor> tensors,
                std::stop_token stop = {});
  Result<std::vector<at::Tensor>> receive(const Op& op, int index, std::int64_t iteration, std::stop_token stop);

  // Gets an object of this iteration that was received before; its publisher keeps it until the next. Errors:
  // not_found.
  Result<std::vector<at::Tensor>> receive_again(std::int64_t iteration, const ObjectName& name);

  // Sends or waits for a slice of the gradient, with `reached` as in ReceivedSlice.
  Result<> publish(std::int64_t iteration, const Op& op, ConstBytes slice, ConstBytes reached,
                   std::stop_token stop = {});
  Result<ReceivedSlice> fetch(const Op& op, int index, std::int64_t iteration, std::stop_token stop);

  Result<> release(std::int64_t iteration, std::span<const ObjectName> names, std::stop_token stop = {});

  // The notes that a former life of this worker has left of its long waits go. Before any operation.
  void forget_former_waits();

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
