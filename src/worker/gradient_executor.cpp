#include "worker/gradient_executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "base/check.h"

namespace funcpipe {
namespace {

// Returns the only buffer that a transfer reads or writes.
Buffer buffer_of(const Op& op) {
  return traits(op.kind).begin()->buffer;
}

void unknown(const Op& op) {
  FUNCPIPE_CHECK(false, "this worker knows no {}", to_string(op.kind));
}

}  // namespace

Result<> GradientExecutor::run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) {
  switch (traits(op.kind).store) {
    case StoreRequest::none:
      return touch_of(op.kind, Buffer::staged) ? reduce(op, iteration) : compute(op, iteration, std::move(stop));
    case StoreRequest::publish:
      return publish(op, iteration, stop);
    case StoreRequest::take:
      return receive(op, index, iteration, stop);
    case StoreRequest::read_data:
      return load(op, iteration, std::move(stop));
    case StoreRequest::report:
      return report(op, iteration, std::move(stop));
    case StoreRequest::remove:
      if (iteration < op.release_age) return {};
      return exchange_.release(iteration - op.release_age, op.released, std::move(stop));
  }
  unknown(op);
  return {};
}

Result<> GradientExecutor::publish(const Op& op, std::int64_t iteration, const std::stop_token& stop) {
  const Buffer buffer = buffer_of(op);
  if (buffer == Buffer::gradient)
    return exchange_.publish(iteration, op, gradient(op.slice), reached(op.slice, std::nullopt), stop);
  return exchange_.send(iteration, op.object, give(op, buffer, iteration), stop);
}

Result<> GradientExecutor::receive(const Op& op, int index, std::int64_t iteration, const std::stop_token& stop) {
  const Buffer buffer = buffer_of(op);
  if (buffer != Buffer::gradient && buffer != Buffer::staged) {
    FUNCPIPE_TRY(tensors, exchange_.receive(op, index, iteration, stop));
    return take(op, buffer, iteration, std::move(tensors));
  }
  FUNCPIPE_TRY(slice, exchange_.fetch(op, index, iteration, stop));
  if (buffer == Buffer::staged) {
    const std::lock_guard lock(mutex_);
    staged_[{iteration, index}] = std::move(slice);
    return {};
  }
  const MutableBytes target = gradient(op.slice);
  FUNCPIPE_CHECK(target.size() == slice.bytes.size(), "slice of {} bytes, received {}", target.size(),
                 slice.bytes.size());
  FUNCPIPE_TRY(known, reached_as(op, slice));
  std::memcpy(target.data(), slice.bytes.data(), target.size());
  std::ranges::copy(slice.reached, known.begin());
  return {};
}

// Fails unless the sender counts as many parameters in the slice as this worker.
Result<MutableBytes> GradientExecutor::reached_as(const Op& op, const ReceivedSlice& slice) {
  const MutableBytes known = reached(op.slice, slice.reached.size());
  if (known.size() == slice.reached.size()) return known;
  return fail(ErrorCode::corrupt,
              fmt::format("{} tells of {} parameters that begin in elements {} to {}, here {} do", to_string(op.object),
                          slice.reached.size(), op.slice.first, op.slice.first + op.slice.elements, known.size()));
}

Result<> GradientExecutor::reduce(const Op& op, std::int64_t iteration) {
  ReceivedSlice slice;
  {
    const std::lock_guard lock(mutex_);
    const auto found = staged_.extract({iteration, op.source});
    FUNCPIPE_CHECK(!found.empty(), "nothing staged by operation {} of iteration {}", op.source, iteration);
    slice = std::move(found.mapped());
  }
  FUNCPIPE_TRY(known, reached_as(op, slice));
  add(op.slice, slice.bytes);
  std::ranges::transform(known, slice.reached, known.begin(), std::bit_or());
  return {};
}

Result<> GradientExecutor::compute(const Op& op, std::int64_t, std::stop_token) {
  unknown(op);
  return {};
}

Result<> GradientExecutor::load(const Op& op, std::int64_t, std::stop_token) {
  unknown(op);
  return {};
}

Result<> GradientExecutor::report(const Op& op, std::int64_t, std::stop_token) {
  unknown(op);
  return {};
}

std::vector<at::Tensor> GradientExecutor::give(const Op& op, Buffer, std::int64_t) {
  unknown(op);
  return {};
}

Result<> GradientExecutor::take(const Op& op, Buffer, std::int64_t, std::vector<at::Tensor>) {
  unknown(op);
  return {};
}

}  // namespace funcpipe
