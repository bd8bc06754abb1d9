#include "worker/function.h"

#include <signal.h>
#include <sys/prctl.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "protocol/invocation.h"
#include "protocol/job_keys.h"
#include "protocol/job_spec.h"
#include "worker/job_store.h"
#include "worker/lambda_runtime.h"
#include "worker/layer_measurements.h"
#include "worker/open_store.h"
#include "worker/process.h"
#include "worker/worker.h"

namespace funcpipe {
namespace {

// For requests sent before the job's own dilation is known. The longest silence allowed then has room for a platform's
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

// The answer of an invocation, and the line for the function's log.
struct Answer {
  nlohmann::json payload;
  std::string log;
};

Answer answer_of(const Result<WorkerAnswer>& played) {
  if (!played) {
    const std::string error = describe(played.error());
    // Who has waited in vain would wait in vain again: whom it waits for is started again, if anybody is.
    const bool passing = played.error().code == ErrorCode::unavailable;
    return {to_json(WorkerAnswer{.status = "failed", .peak_memory = peak_memory(), .error = error, .passing = passing}),
            "failed: " + error};
  }
  return {to_json(*played), fmt::format("{} at iteration {}, peak memory {}", played->status, played->next_iteration,
                                        format_bytes(played->peak_memory))};
}

Answer answer_of(const Result<MeasureAnswer>& measured) {
  if (!measured) {
    const std::string error = describe(measured.error());
    return {to_json(MeasureAnswer{.status = "failed", .error = error}), "failed: " + error};
  }
  return {to_json(*measured), fmt::format("{} at layer {}", measured->status, measured->next_layer)};
}

Result<WorkerAnswer> play_event(const nlohmann::json& payload, Clock& clock, Seconds deadline) {
  FUNCPIPE_TRY(invocation, worker_invocation_from_json(payload));
  fmt::print(stderr, "funcpipe-worker {} of job {} begins its life {}\n", to_string(invocation.worker), invocation.job,
             invocation.incarnation);
  FUNCPIPE_TRY(spec, read_spec(invocation));
  FUNCPIPE_TRY(store, open_store(invocation.bucket, spec.config.platform.dilation));
  DilatedClock platform_clock(clock, spec.config.platform.dilation);
  JobStore job_store(*store, invocation.prefix, platform_clock);
  return run_worker(spec, invocation, job_store, clock, deadline);
}

Result<MeasureAnswer> measure_event(const nlohmann::json& payload, Clock& clock, Seconds deadline) {
  FUNCPIPE_TRY(request, measure_request_from_json(payload, "the invocation's payload"));
  FUNCPIPE_TRY(store, open_store(request.bucket, request.dilation));
  return measure(request, *store, clock, deadline);
}

Answer answer_event(const LambdaEvent& event, Clock& clock) {
  const auto payload = parse_json(event.payload, "the invocation's payload");
  if (!payload) return answer_of(Result<WorkerAnswer>(tl::unexpected(payload.error())));
  const Seconds deadline =
      event.deadline > 0 ? clock.now() + (event.deadline - unix_time()) : std::numeric_limits<double>::infinity();
  if (is_measure_request(*payload)) return answer_of(measure_event(*payload, clock, deadline));
  Answer answer = answer_of(play_event(*payload, clock, deadline));
  if (const auto invocation = worker_invocation_from_json(*payload))
    answer.log = fmt::format("{}: {}", to_string(invocation->worker), answer.log);
  return answer;
}

}  // namespace

Result<nlohmann::json> serve_invocation(const std::string& invocation) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  SystemClock clock;
  FUNCPIPE_TRY(payload, parse_json(invocation, "--invocation"));
  FUNCPIPE_TRY(answer, play_event(payload, clock, std::numeric_limits<double>::infinity()));
  return to_json(answer);
}

Result<> serve_invocations(const std::string& address) {
  LambdaRuntime runtime(address);
  SystemClock clock;
  fmt::print(stderr, "funcpipe-worker ready {:.2f} s after its start\n", process_age());
  while (true) {
    FUNCPIPE_TRY(event, runtime.next());
    const Answer answer = answer_event(event, clock);
    fmt::print(stderr, "funcpipe-worker {}\n", answer.log);
    FUNCPIPE_TRY_VOID(runtime.respond(event, answer.payload.dump()));
  }
}

}  // namespace funcpipe
