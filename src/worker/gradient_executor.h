// Carries out operations as their table declares them (schedule/operation.h): their requests to the store, and their
// work on the gradient and on staged bytes. Derived classes provide the memory and do the rest.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "worker/exchange.h"
#include "worker/player.h"

namespace funcpipe {

// run() is called from the threads of all lanes, as Executor says. Errors: those of Exchange, and corrupt.
class GradientExecutor : public Executor {
 public:
  // `exchange` must outlive this object. Its prefix holds this executor's objects.
  explicit GradientExecutor(Exchange& exchange) : exchange_(exchange) {}

  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override;

 protected:
  // gradient() returns `slice` of the flat gradient; add() does slice = slice + staged. Transfers call them at the same
  // time, for slices that do not overlap.
  virtual MutableBytes gradient(const Slice& slice) = 0;
  virtual void add(const Slice& slice, ConstBytes staged) = 0;
  // Returns one byte for each parameter that begins in the slice: 1 if a backward pass reached it, here or in what was
  // added. `received` is the number of parameters that an incoming slice reports; nullopt: no slice comes in.
  virtual MutableBytes reached(const Slice& slice, std::optional<std::size_t> received) = 0;

  // An executor with more memory than a gradient implements these. Here they are broken invariants.
  virtual Result<> compute(const Op& op, std::int64_t iteration, std::stop_token stop);
  virtual Result<> load(const Op& op, std::int64_t iteration, std::stop_token stop);
  virtual Result<> report(const Op& op, std::int64_t iteration, std::stop_token stop);
  // Returns what `op` sends from `buffer`. Memory that belongs to a micro-batch is moved out.
  virtual std::vector<at::Tensor> give(const Op& op, Buffer buffer, std::int64_t iteration);
  // Stores what `op` has received for `buffer`.
  virtual Result<> take(const Op& op, Buffer buffer, std::int64_t iteration, std::vector<at::Tensor> tensors);

 private:
  Result<> publish(const Op& op, std::int64_t iteration, const std::stop_token& stop);
  Result<> receive(const Op& op, int index, std::int64_t iteration, const std::stop_token& stop);
  Result<> reduce(const Op& op, std::int64_t iteration);
  Result<MutableBytes> reached_as(const Op& op, const ReceivedSlice& slice);

  Exchange& exchange_;
  std::mutex mutex_;                                              // guards staged_
  std::map<std::pair<std::int64_t, int>, ReceivedSlice> staged_;  // by iteration and fetching operation
};

}  // namespace funcpipe
