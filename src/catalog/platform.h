// What a platform offers, read from platforms/NAME.toml: every figure there carries its source and date.
#pragma once

#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/units.h"

namespace funcpipe {

// What a function's size is asked for by: 2048 MB, or 2048 MB with 0.5 vCPUs where a platform has both chosen.
struct SizeChoice {
  int memory_mb = 0;
  double vcpus = 0;  // 0: what the platform gives with that memory (Platform::size)
  auto operator<=>(const SizeChoice&) const = default;
};
std::string to_string(SizeChoice choice);  // "2048", "2048:0.5"
std::string in_words(SizeChoice choice);   // "2048 MB", "2048 MB with 0.5 vCPUs"

// One size a function can be rented in.
struct FunctionSize {
  int memory_mb = 0;          // MiB, as the clouds write "MB"
  double vcpus = 0;           // several sizes have the same memory where vCPUs are chosen too
  BytesPerSecond uplink = 0;  // baseline per instance; infinity where the platform sets no limit
  BytesPerSecond downlink = 0;
};

struct Prices {             // US dollars
  Dollars gb_second = 0;    // GB = 1024 MB of configured memory
  Dollars vcpu_second = 0;  // of configured vCPUs; 0 where they come with the memory
  Dollars invocation = 0;
  Dollars put = 0;  // one PUT, COPY, POST or LIST
  Dollars get = 0;  // one GET or HEAD, found or not
  Dollars storage_gb_month = 0;
  Seconds billing_step = 0.001;  // durations are rounded up to it
};

struct Limits {
  Seconds lifetime = 900;      // longest single invocation
  int concurrency = 1000;      // instances of all functions together
  Seconds idle_timeout = 600;  // a warm instance unused so long is reaped
  Bytes request_payload = 6'000'000;
};

struct Burst {      // token bucket of each direction of an instance, on top of the baseline
  Bytes bytes = 0;  // 0: no burst
  BytesPerSecond rate = 0;
};

struct Latency {  // seconds until the first byte of an answer, per request
  Seconds put = 0;
  Seconds get = 0;
  Seconds put_p99 = 0, get_p99 = 0;  // 99th percentiles, of which those above are the medians; 0: not known
};

struct StoreLimits {  // of all instances together; infinity where there is none. The simulator alone has rates
  BytesPerSecond upload = std::numeric_limits<double>::infinity();
  BytesPerSecond download = std::numeric_limits<double>::infinity();
  double puts_per_second = std::numeric_limits<double>::infinity();
  double gets_per_second = std::numeric_limits<double>::infinity();
  double requests_per_second = std::numeric_limits<double>::infinity();  // PUTs and GETs
};

struct Platform {
  std::string name;
  std::string description;
  bool limited = true;        // any of the three below; false: `local`, as fast as the machine goes, priced as Lambda
  bool limit_memory = true;   // an instance over its memory is killed
  bool limit_cpu = true;      // an instance gets its vCPU share and no more
  bool limit_network = true;  // an instance's bandwidth and request latency
  std::vector<FunctionSize> sizes;  // ascending memory, then vCPUs
  // Of one of its vCPUs, relative to a core of the machine that profiles are measured on (`funcpipe profile`).
  double vcpu_speed = 1;
  Prices prices;
  Limits limits;
  Burst burst;
  Latency latency;
  StoreLimits store;

  // The size with the smallest memory of at least `memory_mb`, and with `vcpus`; nullptr if there is none. 0 vCPUs: of
  // several sizes with that memory the one with the fewest that are a whole vCPU, since one thread uses no more and
  // nobody shall pay for what he did not ask for; the most where none is.
  const FunctionSize* size(int memory_mb, double vcpus = 0) const;
  // The same with no other memory than `memory_mb`.
  const FunctionSize* exact_size(int memory_mb, double vcpus = 0) const;
  // What it has to be asked for by: vCPUs are named only where several sizes have its memory.
  SizeChoice choice(const FunctionSize& size) const;
};

// `name` is the stem of a file in the platforms folder, or the path of a .toml file of one's own.
// Errors: not_found (with the names there are), invalid_input (file:line of the bad figure).
Result<Platform> load_platform(const std::string& name);

// The names load_platform knows, sorted.
std::vector<std::string> platform_names();

// $FUNCPIPE_PLATFORMS, or share/funcpipe/platforms beside the installed program, or platforms/ of the source tree.
std::filesystem::path platforms_folder();

// Whether two numbers of vCPUs mean the same one: files give them rounded.
bool same_vcpus(double a, double b);

// Of `bytes` through a link with a full bucket, which is refilled at `baseline` while they flow.
BytesPerSecond mean_rate(const Burst& burst, BytesPerSecond baseline, double bytes);

// Bill arithmetic shared by the emulator, the planner and the simulator.
Dollars compute_price(const Prices& prices, int memory_mb, double vcpus, Seconds billed_seconds);
// Of `bytes` kept in the store for `seconds`; a month has 30 days.
Dollars storage_price(const Prices& prices, double bytes, Seconds seconds);

}  // namespace funcpipe
