#include "worker/parameter_server.h"

#include <cstring>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

#include "base/check.h"
#include "schedule/polling.h"
#include "worker/exchange.h"
#include "worker/player.h"
#include "worker/process.h"
#include "worker/programs.h"
#include "worker/trace.h"

namespace funcpipe {
namespace {

class SummingExecutor final : public Executor {
 public:
  SummingExecutor(std::int64_t elements, Exchange& exchange)
      : sums_(static_cast<std::size_t>(elements)), exchange_(exchange) {}

  Result<> run(const Op& op, int index, std::int64_t iteration, std::stop_token stop) override {
    switch (op.kind) {
      case OpKind::fetch_into: {
        FUNCPIPE_TRY(part, exchange_.fetch(op, index, iteration, stop));
        std::memcpy(sums_.data() + op.slice.first, part.bytes.data(), part.bytes.size());
        return {};
      }
      case OpKind::fetch: {
        FUNCPIPE_TRY(part, exchange_.fetch(op, index, iteration, stop));
        const std::lock_guard lock(mutex_);
        staged_[{iteration, index}] = std::move(part);
        return {};
      }
      case OpKind::reduce:
        add(op.slice, take(iteration, op.source));
        return {};
      case OpKind::publish:
        return exchange_.publish(iteration, op,
                                 std::as_bytes(std::span(sums_).subspan(static_cast<std::size_t>(op.slice.first),
                                                                        static_cast<std::size_t>(op.slice.elements))),
                                 stop);
      case OpKind::release:
        if (iteration < op.release_age) return {};
        return exchange_.release(iteration - op.release_age, op.released, stop);
      default:
        FUNCPIPE_CHECK(false, "a parameter server knows no {}", to_string(op.kind));
        return {};
    }
  }

 private:
  ReceivedSlice take(std::int64_t iteration, int source) {
    const std::lock_guard lock(mutex_);
    const auto found = staged_.extract({iteration, source});
    FUNCPIPE_CHECK(!found.empty(), "nothing staged by operation {} of iteration {}", source, iteration);
    return std::move(found.mapped());
  }

  void add(const Slice& slice, const ReceivedSlice& part) {
    const auto* const terms = reinterpret_cast<const float*>(part.bytes.data());  // aligned, as every payload
    float* const sums = sums_.data() + slice.first;
    for (std::int64_t i = 0; i < slice.elements; ++i) sums[i] += terms[i];
  }

  std::vector<float> sums_;  // a shard's parts and its sum in one go, between its first fetch and its publish
  Exchange& exchange_;
  std::mutex mutex_;                                              // guards what follows
  std::map<std::pair<std::int64_t, int>, ReceivedSlice> staged_;  // by iteration and fetching operation
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
  SummingExecutor executor(programs.shape.gradient_elements, exchange);
  const LaneWidths widths{spec.config.training.download_connections, spec.config.training.upload_connections};
  FUNCPIPE_TRY_VOID(play(programs.training, 0, spec.steps, executor, widths, clock, std::move(stop), std::ref(trace)));
  if (!trace.empty())
    FUNCPIPE_TRY_VOID(store.put(trace_key(invocation.prefix, kParameterServer), trace.json(process_age()),
                                PutMode::create_if_absent));
  return WorkerAnswer{.status = "done", .next_iteration = spec.steps, .peak_memory = peak_memory(), .error = {}};
}

}  // namespace funcpipe
