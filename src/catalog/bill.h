// What a job used and what it costs: one type for the emulator, the planner's prediction and the simulator.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

// Of one function, or of the client ("client").
struct Usage {
  std::int64_t invocations = 0;
  double gb_seconds = 0;                                // billed: rounded up to the billing step, start-up included
  double vcpu_seconds = 0;                              // likewise
  std::int64_t put = 0, get = 0, list = 0, remove = 0;  // requests answered, whatever the answer
  Bytes uploaded = 0, downloaded = 0;
  Dollars rent = 0;  // of a machine that is no function, at its own price

  Usage& operator+=(const Usage& other);
  void add_invocation(int memory_mb, double vcpus, Seconds billed_seconds);
  Dollars compute_dollars(const Prices& prices) const;  // GB-seconds, vCPU-seconds, invocations; rent
  Dollars request_dollars(const Prices& prices) const;  // PUT and LIST at one price, GET at another, DELETE free
  Dollars dollars(const Prices& prices) const { return compute_dollars(prices) + request_dollars(prices); }
};

struct Bill {
  std::map<std::string, Usage> by_function;
  Usage total() const;
};

nlohmann::json to_json(const Bill& bill, const Prices& prices);

}  // namespace funcpipe
