#include "worker/function.h"

#include <cstdlib>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/files.h"
#include "config/job_spec.h"
#include "store/credentials.h"
#include "store/s3_store.h"
#include "worker/lambda_runtime.h"
#include "worker/process.h"
#include "worker/worker.h"

namespace funcpipe {
namespace {

std::string variable(const char* name, const std::string& otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : otherwise;
}

Result<std::unique_ptr<S3Store>> open_store(const std::string& bucket) {
  FUNCPIPE_TRY(credentials, credentials_from_environment());
  S3Options options;
  options.bucket = bucket;
  options.credentials = std::move(credentials);
  options.endpoint.region = variable("AWS_REGION", variable("AWS_DEFAULT_REGION", "us-east-1"));
  options.endpoint.url = variable("AWS_ENDPOINT_URL_S3", variable("AWS_ENDPOINT_URL", ""));
  while (options.endpoint.url.ends_with('/')) options.endpoint.url.pop_back();
  options.endpoint.path_style = !options.endpoint.url.empty();
  if (options.endpoint.url.empty()) options.endpoint.url = "https://s3." + options.endpoint.region + ".amazonaws.com";
  return S3Store::open(std::move(options));
}

Result<WorkerAnswer> play_event(const LambdaEvent& event, Clock& clock) {
  FUNCPIPE_TRY(json, parse_json(event.payload, "the invocation's payload"));
  FUNCPIPE_TRY(invocation, worker_invocation_from_json(json));
  FUNCPIPE_TRY(store, open_store(invocation.bucket));
  const std::string key = job_spec_key(invocation.prefix);
  FUNCPIPE_TRY(text, store->get_text(key));
  if (!text) return fail(ErrorCode::not_found, "the job is not in the store", key, "start it with funcpipe train");
  FUNCPIPE_TRY(spec_json, parse_json(*text, key));
  FUNCPIPE_TRY(spec, job_spec_from_json(spec_json, key));
  if (spec.id != invocation.job)
    return fail(ErrorCode::invalid_input,
                fmt::format("job {} was asked for, the store holds {}", invocation.job, spec.id), key);
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
