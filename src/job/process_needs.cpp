#include "job/process_needs.h"

#include <algorithm>

#include "base/process_limits.h"

namespace funcpipe {
namespace {

// For this program (its libraries, files, the store's connections, a child's pipes) and for the embedded cloud.
constexpr std::int64_t kOwnFiles = 64;
constexpr std::int64_t kOwnThreads = 16;
// For an embedded instance, apart from its connections: the process's descriptor, pipes, log, Runtime API, and both
// ends of its invocation.
constexpr std::int64_t kFilesOfInstance = 12;
// For a worker, apart from its lanes: main and autograd threads, and the client's thread that waits for its invocation.
constexpr std::int64_t kThreadsOfWorker = 5;

}  // namespace

Result<> check_own_needs() {
  FUNCPIPE_TRY_VOID(check_open_files(kOwnFiles, "this program"));
  return check_processes(kOwnThreads, "this program");
}

Result<> check_process_needs(const JobSpec& spec) {
  const JobConfig& config = spec.config;
  const std::int64_t workers = spec.plan.worker_count() + (spec.plan.has_server() ? 1 : 0);
  const std::int64_t lanes = config.training.download_connections + config.training.upload_connections;
  const bool embedded = config.platform.s3_endpoint.empty();
  const std::string what =
      fmt::format("{} worker{}{}", workers, workers == 1 ? "" : "s", embedded ? " and the embedded cloud" : "");
  FUNCPIPE_TRY_VOID(check_open_files(kOwnFiles + workers * (embedded ? kFilesOfInstance + lanes : 2), what));
  std::int64_t threads = kOwnThreads + workers;
  if (embedded)
    for (const WorkerId worker : spec.plan.workers()) {
      const int profiled =
          worker == kParameterServer ? 0 : spec.plan.stages[static_cast<std::size_t>(worker.stage)].threads;
      threads += kThreadsOfWorker + lanes + std::max(1, profiled > 0 ? profiled : config.training.threads) - 1;
    }
  return check_processes(threads, what);
}

}  // namespace funcpipe
