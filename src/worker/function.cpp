#include "worker/function.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "config/job_spec.h"
#include "worker/lambda_runtime.h"
#include "worker/open_store.h"
#include "worker/process.h"
#include "worker/worker.h"

namespace funcpipe {
namespace {

// For what is read before the job's own dilation is known: the longest silence then leaves room for a platform's
// latency (30 ms) at the greatest dilation (1000).
constexpr double kUnknownDilation = 3;

Result<JobSpec> read_spec(const WorkerInvocation& invocation) {
  FUNCPIPE_TRY(store, open_store(invocation.bucket, kUnknownDilation));
  const std::string key = job_spec_key(invocation.prefix);
  FUNCPIPE_TRY(text, store->get_text(key));
  if (!text) return fail(ErrorCode::not_found, "the job is not in the store", key, "start it with funcpipe train");
  FUNCPIPE_TRY(json, parse_json(*text, key));
  FUNCPIPE_TRY(spec, job_spec_from_json(json, key));
  if (spec.id != invocation.job)
    return fail(ErrorCode::invalid_input,
                fmt::format("job {} was asked for, the store holds {}", invocation.job, spec.id), key);
  return spec;
}

Result<WorkerAnswer> play_event(const LambdaEvent& event, Clock& clock) {
  FUNCPIPE_TRY(json, parse_json(event.payload, "the invocation's payload"));
  FUNCPIPE_TRY(invocation, worker_invocation_from_json(json));
  FUNCPIPE_TRY(spec, read_spec(invocation));
  FUNCPIPE_TRY(store, open_store(invocation.bucket, spec.config.platform.dilation));
  const Seconds deadline =
      event.deadline > 0 ? clock.now() + (event.deadline - unix_time()) : std::numeric_limits<double>::infinity();
  return run_worker(spec, invocation, *store, clock, deadline);
}

}  // namespace

Result<> serve_invocations(const std::string& address) {
  LambdaRuntime runtime(address);
  SystemClock clock;
  fmt::print(stderr, "funcpipe-worker ready {:.2f} s after its start\n", process_age());
  while (true) {
    FUNCPIPE_TRY(event, runtime.next());
    const auto answer = play_event(event, clock);
    if (answer) {
      fmt::print(stderr, "funcpipe-worker {} at iteration {}, peak memory {}\n", answer->status, answer->next_iteration,
                 format_bytes(answer->peak_memory));
      FUNCPIPE_TRY_VOID(runtime.respond(event, to_json(*answer).dump()));
    } else {
      fmt::print(stderr, "funcpipe-worker failed: {}\n", describe(answer.error()));
      const WorkerAnswer failed{.status = "failed", .peak_memory = peak_memory(), .error = describe(answer.error())};
      FUNCPIPE_TRY_VOID(runtime.respond(event, to_json(failed).dump()));
    }
  }
}

}  // namespace funcpipe
