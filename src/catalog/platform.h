// What a serverless platform offers: function sizes, prices, limits and bandwidths. It is read from
// platforms/NAME.toml, which gives the source and the date of every figure. Format: docs/formats/platform.md.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// How a user asks for a function size: "2048 MB", or "2048 MB with 0.5 vCPUs" on a platform where both are chosen.
struct SizeChoice {
  int memory_mb = 0;
  double vcpus = 0;  // 0 means the vCPUs that the platform gives with that memory (Platform::size).
  auto operator<=>(const SizeChoice&) const = default;
};
std::string to_string(SizeChoice choice);  // "2048", "2048:0.5"
std::string in_words(SizeChoice choice);   // "2048 MB", "2048 MB with 0.5 vCPUs"

// One size in which a function can be rented.
struct FunctionSize {
  int memory_mb = 0;          // MiB, as the clouds write "MB"
  double vcpus = 0;           // Several sizes have the same memory where vCPUs are chosen too.
  BytesPerSecond uplink = 0;  // Sustained rate of one instance; infinity where the platform sets no limit.
  BytesPerSecond downlink = 0;
};

struct Prices {             // US dollars
  Dollars gb_second = 0;    // One second of 1024 MB of configured memory.
  Dollars vcpu_second = 0;  // One second of a configured vCPU; 0 where vCPUs are included in the memory's price.
  Dollars invocation = 0;
  Dollars put = 0;               // One PUT, COPY, POST or LIST.
  Dollars get = 0;               // One GET or HEAD, whether the object exists or not.
  Dollars storage_gb_month = 0;  // One GiB for 30 days.
  Seconds billing_step = 0.001;  // Durations are rounded up to a multiple of it.
};

struct Limits {
  Seconds lifetime = 900;             // Longest single invocation.
  int concurrency = 1000;             // Running instances of all functions together.
  Seconds idle_timeout = 600;         // A warm instance that is unused for so long is removed.
  Bytes request_payload = 6'000'000;  // Largest payload of one invocation.
};

// A token bucket for each direction of an instance. While it has tokens, the instance transfers at `rate`; the baseline
// rate of the function size refills it.
struct Burst {
  Bytes bytes = 0;  // Tokens in a full bucket; 0 means that there is no burst.
  BytesPerSecond rate = 0;
};

// Time from a request to the store until the first byte of the answer.
struct Latency {
  Seconds put = 0;                   // median
  Seconds get = 0;                   // median
  Seconds put_p99 = 0, get_p99 = 0;  // 99th percentiles; 0 if not known.
};

// Limits that all instances share; infinity where there is none. The planner and the simulator apply all of them, the
// emulator only those of bytes.
struct StoreLimits {
  BytesPerSecond upload = std::numeric_limits<double>::infinity();
  BytesPerSecond download = std::numeric_limits<double>::infinity();
  double puts_per_second = std::numeric_limits<double>::infinity();
  double gets_per_second = std::numeric_limits<double>::infinity();
  double requests_per_second = std::numeric_limits<double>::infinity();  // PUTs and GETs together.
};

struct Platform {
  std::string name;
  std::string description;
  // What the emulator enforces. `limited` says whether it enforces any of the three; the platform `local` has none.
  bool limited = true;
  bool limit_memory = true;         // An instance that uses more than its memory is killed.
  bool limit_cpu = true;            // An instance gets no more than its share of the vCPUs.
  bool limit_network = true;        // Bandwidth and request latency of an instance are imposed.
  std::vector<FunctionSize> sizes;  // By ascending memory, then vCPUs.
  // Speed of one vCPU relative to a core of the machine that profiles are measured on (`funcpipe profile`).
  double vcpu_speed = 1;
  Prices prices;
  Limits limits;
  Burst burst;
  Latency latency;
  StoreLimits store;

  // Returns the size with the smallest memory of at least `memory_mb`, and with `vcpus`; nullptr if there is none.
  // With `vcpus` = 0 and several sizes of that memory, returns the one with the fewest vCPUs that are at least one,
  // since one thread uses no more; if all have less than one, the one with the most.
  const FunctionSize* size(int memory_mb, double vcpus = 0) const;
  // Does the same, but returns nullptr if no size has exactly `memory_mb`.
  const FunctionSize* exact_size(int memory_mb, double vcpus = 0) const;
  // Returns how to ask for `size`. vCPUs are named only where several sizes have its memory.
  SizeChoice choice(const FunctionSize& size) const;
};

// Loads a platform. `name` is the stem of a file in the platforms folder, or the path of another .toml file.
// Errors: not_found (the hint lists the names there are), invalid_input (file and line of the bad figure).
Result<Platform> load_platform(const std::string& name);

// Returns the names of the platforms in the platforms folder, sorted.
std::vector<std::string> platform_names();

// Returns the first that exists of: $FUNCPIPE_PLATFORMS (if set), share/funcpipe/platforms beside the bin folder of the
// running program, and platforms/ of the source tree. A folder that $FUNCPIPE_PLATFORMS names is not checked.
std::filesystem::path platforms_folder();

// Returns whether two numbers of vCPUs differ by less than 0.01. Files give them rounded.
bool same_vcpus(double a, double b);

// Returns the mean rate of a transfer of `bytes` that starts with a full bucket, which `baseline` refills meanwhile.
BytesPerSecond mean_rate(const Burst& burst, BytesPerSecond baseline, double bytes);

// Returns the price of `billed_seconds` of one function, without its invocation.
Dollars compute_price(const Prices& prices, int memory_mb, double vcpus, Seconds billed_seconds);
// Returns the price of keeping `bytes` in the store for `seconds`. A month has 30 days.
Dollars storage_price(const Prices& prices, double bytes, Seconds seconds);

}  // namespace funcpipe
