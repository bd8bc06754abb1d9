// A function service for tests that passes every call on to another service and breaks some of them.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "functions/function_service.h"

namespace funcpipe {

// The faults to inject, with probabilities from 0 to 1. Each fault is a function of (seed, operation, function, how
// often that operation was asked for that function); it does not depend on the order of threads.
struct ServiceFaults {
  std::uint64_t seed = 1;
  double throttle = 0;     // an invoke fails with `exhausted` and nothing is started
  double lost_answer = 0;  // an invoke runs the function, then fails with `unavailable`
  double lost_event = 0;   // an invoke_async is accepted and the function is never called
  double twice = 0;        // an invoke_async calls the function twice
  double delay = 0;        // the call first waits `longest_delay` times an even draw from 0 to 1
  Seconds longest_delay = 0.05;
  bool quiet = false;  // if false, the constructor prints the seed on standard error
};

// Thread-safe if `inner` is. `inner` must outlive this object.
class FaultyService final : public FunctionService {
 public:
  FaultyService(FunctionService& inner, ServiceFaults faults);

  Result<> create(const FunctionSpec& spec, std::stop_token stop = {}) override;
  Result<bool> exists(const std::string& name, std::stop_token stop = {}) override;
  Result<> remove(const std::string& name, std::stop_token stop = {}) override;
  Result<Invocation> invoke(const std::string& name, const std::string& payload, std::stop_token stop = {}) override;
  Result<> invoke_async(const std::string& name, const std::string& payload) override;

 private:
  enum class Operation : std::uint64_t { invoke = 1, invoke_async };
  // Draws the faults of one operation, each kind independently.
  class Draws;
  Draws draw(Operation operation, const std::string& name);
  Result<> wait(const Draws& draws, const std::stop_token& stop);

  FunctionService& inner_;
  const ServiceFaults faults_;
  SystemClock clock_;
  std::mutex mutex_;
  std::map<std::pair<Operation, std::string>, std::uint64_t> asked_;
};

}  // namespace funcpipe
