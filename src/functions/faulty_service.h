// The faulty twin: passes everything on to another service, and breaks some of it.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "base/clock.h"
#include "functions/function_service.h"

namespace funcpipe {

// Each fault is a function of (seed, operation, function, how often that was asked), not of the order of threads.
struct ServiceFaults {
  std::uint64_t seed = 1;
  double throttle = 0;     // invokes: `exhausted`, nothing started
  double lost_answer = 0;  // invokes: the function runs, then `unavailable`
  double lost_event = 0;   // events: accepted and never delivered
  double twice = 0;        // events: delivered twice
  double delay = 0;        // waits `longest_delay` times an even draw from 0 to 1 first
  Seconds longest_delay = 0.05;
  bool quiet = false;  // otherwise prints the seed on standard error when made
};

// Thread-safe if `inner` is, which must outlive it.
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
  // The draws of one operation: true with the probability given, for each kind of fault by itself.
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
