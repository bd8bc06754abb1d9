// Invokes every worker once synchronously, each in a thread of its own, and runs the parameter server's process.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "catalog/bill.h"
#include "config/invocation.h"
#include "functions/function_service.h"

namespace funcpipe {

struct LaunchOptions {
  std::string job, bucket, prefix;
  std::vector<WorkerId> workers;
  std::function<std::string(WorkerId)> function_of;
  std::map<WorkerId, std::string> programs;  // fingerprints of the proven programs (worker/programs.h)
  std::function<double(WorkerId)> vcpus_of;  // the vCPUs of its function, which no REPORT line tells
  // Plays the parameter server, if the job has one. It is not a function, so nobody invokes it.
  std::function<Result<WorkerAnswer>(const WorkerInvocation&, std::stop_token)> serve;
  bool memory_is_limited = true;        // whether functions that exceed their memory are killed
  std::function<void()> end_functions;  // ends the functions that still run; empty: the cloud cannot do that
  // For clouds that cannot end functions: leaves a mark that workers see within seconds. They then have `grace` to end.
  std::function<Result<>(const std::string& reason)> mark_stop;
  Seconds grace = 0;
};

class Fleet {
 public:
  // Invokes every worker. One that answers "continue" is invoked again from where it stopped.
  Fleet(FunctionService& functions, LaunchOptions options);
  ~Fleet();  // stop()
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // Blocks until all workers are done (returns true), or until one has failed, `stop` was requested or `limit` has
  // passed (returns false).
  bool wait(Seconds limit, std::stop_token stop);
  bool done() const;

  // The failure of the worker that failed first. Workers that only waited for it fail later, if at all.
  std::optional<Error> failure() const;
  std::optional<WorkerId> failed_worker() const;

  // Ends the functions or, if the cloud cannot do that, tells the workers to end. Abandons invocations still under way
  // and joins their threads. Returns how many workers may still run and publish objects; none if the cloud is embedded.
  // Only the first call has an effect.
  int stop(const std::string& reason = "the client has ended");

  Bytes peak_memory() const;  // the largest that any function reported
  // The use according to the REPORT lines of invocations that have ended, for clouds that give no bill.
  Bill reported_usage() const;

 private:
  void run(WorkerId worker, std::stop_token stop);
  Result<WorkerAnswer> invoke(const WorkerInvocation& invocation, std::stop_token stop);

  FunctionService& functions_;
  const LaunchOptions options_;
  mutable std::mutex mutex_;  // guards the members up to threads_
  std::condition_variable_any changed_;
  int running_ = 0;
  std::optional<Error> failure_;
  std::optional<WorkerId> failed_worker_;
  Bytes peak_memory_ = 0;
  Bill reported_;
  std::vector<std::jthread> threads_;
};

}  // namespace funcpipe
