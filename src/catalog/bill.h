// What a job used and what that costs. The emulator, the planner's prediction and the simulator share these types.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/units.h"
#include "catalog/platform.h"

namespace funcpipe {

// What one function used, or the client.
struct Usage {
  std::int64_t invocations = 0;
  // Memory (GB of 1024 MB) and vCPUs times billed seconds, which are rounded up to the billing step and include
  // start-up.
  double gb_seconds = 0;
  double vcpu_seconds = 0;
  std::int64_t put = 0, get = 0, list = 0, remove = 0;  // Requests that got an answer, whatever it was.
  Bytes uploaded = 0, downloaded = 0;
  Dollars rent = 0;  // Price of a rented machine that is not a function (the parameter server).

  Usage& operator+=(const Usage& other);
  void add_invocation(int memory_mb, double vcpus, Seconds billed_seconds);
  Dollars compute_dollars(const Prices& prices) const;  // GB-seconds, vCPU-seconds, invocations and rent.
  Dollars request_dollars(const Prices& prices) const;  // PUT and LIST have one price, GET another; DELETE is free.
  Dollars dollars(const Prices& prices) const { return compute_dollars(prices) + request_dollars(prices); }
};

struct Bill {
  std::map<std::string, Usage> by_function;  // By the function's name; the client's name is "client".
  Usage total() const;
};

// Writes the bill in the format of docs/formats/bill.md.
nlohmann::json to_json(const Bill& bill, const Prices& prices);

}  // namespace funcpipe
