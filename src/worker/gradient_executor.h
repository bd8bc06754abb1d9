// Does what operations declare (schedule/operation.h): what they ask of the store, and what they do with the gradient
// and with staged bytes. Whoever derives from it has the memory, and does the rest.
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

// `run` is called from all lanes' threads, as Executor says. Errors: those of Exchange; corrupt.
class GradientExecutor : public Executor {
 public:
  // `exchange` outlives it; its prefix holds this executor's objects.
  explicit GradientExecutor(Exchange& exchange) : exchange_(exchange) {}

  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override;

 protected:
  // `slice` of the flat gradient, and slice = slice + staged. Transfers ask for slices side by side that do not
  // overlap.
  virtual MutableBytes gradient(const Slice& slice) = 0;
  virtual void add(const Slice& slice, ConstBytes staged) = 0;
  // Of each parameter that begins in the slice whether a backward reached it, here or in what was added. `received`:
  // of how many the worker tells whose slice comes in; nullopt: none does.
  virtual MutableBytes reached(const Slice& slice, std::optional<std::size_t> received) = 0;

  // Who has more memory than a gradient does these; here they are broken invariants.
  virtual Result<> compute(const Op& op, std::int64_t iteration, std::stop_token stop);
  virtual Result<> load(const Op& op, std::int64_t iteration, std::stop_token stop);
  virtual Result<> report(const Op& op, std::int64_t iteration, std::stop_token stop);
  // What `op` publishes of `buffer`, which is given away where it belongs to a micro-batch.
  virtual std::vector<at::Tensor> give(const Op& op, Buffer buffer, std::int64_t iteration);
  // What `op` has received for `buffer`.
  virtual Result<> take(const Op& op, Buffer buffer, std::int64_t iteration, std::vector<at::Tensor> tensors);

 private:
  Result<> publish(const Op& op, std::int64_t iteration, const std::stop_token& stop);
  Result<> receive(const Op& op, int index, std::int64_t iteration, const std::stop_token& stop);
  Result<> reduce(const Op& op, std::int64_t iteration);
  Result<MutableBytes> reached_as(const Op& op, const ReceivedSlice& slice);

  Exchange& exchange_;
  std::mutex mutex_;                                              // guards what follows
  std::map<std::pair<std::int64_t, int>, ReceivedSlice> staged_;  // by iteration and fetching operation
};

}  // namespace funcpipe
