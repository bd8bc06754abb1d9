// A store as a worker sees it that is killed: at some request everything ends, as if the worker's machine had gone.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "store/store.h"

namespace funcpipe::testing {

// Thread-safe if `inner` is, which must outlive it.
class MortalStore final : public Store {
 public:
  // Dies at request `last` (from 0). `is_done`: that request is carried out all the same, and nobody hears of it.
  MortalStore(Store& inner, std::int64_t last, bool is_done) : inner_(inner), last_(last), is_done_(is_done) {}

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) override {
    return live([&] { return inner_.put(key, pieces, mode); });
  }
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range) override {
    return live([&] { return inner_.get(key, destination, range); });
  }
  Result<std::optional<Bytes>> size(const std::string& key) override {
    return live([&] { return inner_.size(key); });
  }
  Result<> remove(std::span<const std::string> keys) override {
    return live([&] { return inner_.remove(keys); });
  }
  Result<std::vector<ListedObject>> list(const std::string& prefix) override {
    return live([&] { return inner_.list(prefix); });
  }

  bool is_dead() const { return asked_ > last_; }

 private:
  template <class Request>
  auto live(const Request& request) -> decltype(request()) {
    const std::int64_t asked = asked_++;
    if (asked < last_) return request();
    if (asked == last_ && is_done_) static_cast<void>(request());
    return fail(ErrorCode::cancelled, "killed");
  }

  Store& inner_;
  const std::int64_t last_;
  const bool is_done_;
  std::atomic<std::int64_t> asked_ = 0;
};

}  // namespace funcpipe::testing
