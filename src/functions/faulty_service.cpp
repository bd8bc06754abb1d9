#include "functions/faulty_service.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/crc32c.h"
#include "base/random.h"
#include "store/store.h"

namespace funcpipe {

class FaultyService::Draws {
 public:
  explicit Draws(std::uint64_t seed) : seed_(seed) {}
  double even(std::uint64_t kind) const { return static_cast<double>(mix(seed_, {kind}) >> 11) * 0x1p-53; }
  bool happens(std::uint64_t kind, double probability) const { return even(kind) < probability; }

 private:
  std::uint64_t seed_;
};

FaultyService::FaultyService(FunctionService& inner, ServiceFaults faults) : inner_(inner), faults_(faults) {
  if (!faults_.quiet) {
    fmt::print(stderr, "FaultyService: repeat these faults with ServiceFaults{{.seed = {}}}\n", faults_.seed);
  }
}

FaultyService::Draws FaultyService::draw(Operation operation, const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t times = asked_[{operation, name}]++;
  return Draws(mix(faults_.seed, {static_cast<std::uint64_t>(operation), crc32c(as_bytes(name)), times}));
}

Result<> FaultyService::wait(const Draws& draws, const std::stop_token& stop) {
  if (!draws.happens(1, faults_.delay)) return {};
  if (clock_.sleep_until(clock_.now() + draws.even(2) * faults_.longest_delay, stop)) return {};
  return fail(ErrorCode::cancelled, "stopped during an injected delay");
}

Result<> FaultyService::create(const FunctionSpec& spec, std::stop_token stop) {
  return inner_.create(spec, std::move(stop));
}
Result<bool> FaultyService::exists(const std::string& name, std::stop_token stop) {
  return inner_.exists(name, std::move(stop));
}
Result<> FaultyService::remove(const std::string& name, std::stop_token stop) {
  return inner_.remove(name, std::move(stop));
}

Result<Invocation> FaultyService::invoke(const std::string& name, const std::string& payload, std::stop_token stop) {
  const Draws draws = draw(Operation::invoke, name);
  FUNCPIPE_TRY_VOID(wait(draws, stop));
  if (draws.happens(3, faults_.throttle)) {
    return fail(ErrorCode::exhausted, fmt::format("an injected throttle (seed {})", faults_.seed), "function " + name);
  }
  FUNCPIPE_TRY(invocation, inner_.invoke(name, payload, stop));
  if (draws.happens(4, faults_.lost_answer)) {
    return fail(ErrorCode::unavailable, fmt::format("an injected lost answer (seed {})", faults_.seed),
                "function " + name);
  }
  return invocation;
}

Result<> FaultyService::invoke_async(const std::string& name, const std::string& payload) {
  const Draws draws = draw(Operation::invoke_async, name);
  FUNCPIPE_TRY_VOID(wait(draws, {}));
  if (draws.happens(5, faults_.lost_event)) return {};
  if (draws.happens(6, faults_.twice)) FUNCPIPE_TRY_VOID(inner_.invoke_async(name, payload));
  return inner_.invoke_async(name, payload);
}

}  // namespace funcpipe
