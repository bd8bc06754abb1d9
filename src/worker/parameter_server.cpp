#include "worker/parameter_server.h"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "protocol/job_keys.h"
#include "protocol/programs.h"
#include "schedule/polling.h"
#include "worker/exchange.h"
#include "worker/gradient_executor.h"
#include "worker/player.h"
#include "worker/process.h"
#include "worker/trace.h"

namespace funcpipe {
namespace {

// A shard uses its slice of the buffer from its first fetch to its publish: parts are added there.
class ServerExecutor final : public GradientExecutor {
 public:
  ServerExecutor(std::int64_t elements, Exchange& exchange)
      : GradientExecutor(exchange), sums_(static_cast<std::size_t>(elements)) {}

 private:
  std::span<float> sums(const Slice& slice) {
    return std::span(sums_).subspan(static_cast<std::size_t>(slice.first), static_cast<std::size_t>(slice.elements));
  }

  MutableBytes gradient(const Slice& slice) override { return std::as_writable_bytes(sums(slice)); }

  void add(const Slice& slice, ConstBytes staged) override {
    const auto* const terms = reinterpret_cast<const float*>(staged.data());  // aligned, as all payloads are
    const std::span<float> all = sums(slice);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] += terms[i];
  }

  // Only functions know which parameters there are. All parts of a shard report the same number of them.
  MutableBytes reached(const Slice& slice, std::optional<std::size_t> received) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::byte>& of_shard = reached_[slice.first];
    if (received && of_shard.empty()) of_shard.resize(*received);
    return of_shard;
  }

  std::vector<float> sums_;
  std::mutex mutex_;  // guards the map only: the operations of one shard follow one another
  std::map<std::int64_t, std::vector<std::byte>> reached_;  // by a shard's first element
};

}  // namespace

Result<WorkerAnswer> run_parameter_server(const JobSpec& spec, const WorkerInvocation& invocation, Store& store,
                                          Clock& clock, std::stop_token stop) {
  if (!spec.plan.has_server())
    return fail(ErrorCode::invalid_input, "the plan has no such worker", to_string(invocation.worker));
  FUNCPIPE_TRY(programs, proven_programs(spec, invocation));
  Trace trace(programs.training, spec.plan.rank(kParameterServer), spec.config.metrics.trace_iterations, clock);
  DilatedClock platform_clock(clock, spec.config.platform.dilation);
  Exchange exchange(store, platform_clock, invocation.prefix, kParameterServer,
                    kServerPatience * spec.config.training.wait_limit,
                    [&](int op, std::int64_t iteration, Seconds asked) {
                      trace.asked(op, iteration, platform_clock.outside(asked));
                    });
  ServerExecutor executor(programs.shape.gradient_elements, exchange);
  const LaneWidths widths{spec.config.training.download_connections, spec.config.training.upload_connections};
  FUNCPIPE_TRY_VOID(play(programs.training, 0, spec.steps, executor, widths, clock, std::move(stop), std::ref(trace)));
  if (!trace.empty())
    FUNCPIPE_TRY_VOID(store.put(trace_key(invocation.prefix, kParameterServer), trace.json(process_age()),
                                PutMode::create_if_absent));
  return WorkerAnswer{.status = "done", .next_iteration = spec.steps, .peak_memory = peak_memory(), .error = {}};
}

}  // namespace funcpipe
