// Invokes every worker once synchronously, each in a thread of its own, and runs the parameter server's process.
#pragma once

#include <condition_variable>
#include <cstdint>
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
#include "functions/function_service.h"
#include "protocol/invocation.h"

namespace funcpipe {

struct LaunchOptions {
  std::string job, bucket, prefix;
  std::vector<WorkerId> workers;
  std::function<std::string(WorkerId)> function_of;
  std::map<WorkerId, std::string> programs;  // fingerprints of what was proven (protocol/programs.h)
  std::function<double(WorkerId)> vcpus_of;  // of its function, which no REPORT line says
  // Plays the parameter server, if it is among the workers: no function, so nobody invokes it.
  std::function<Result<WorkerAnswer>(const WorkerInvocation&, std::stop_token)> serve;
  bool memory_is_limited = true;        // whether functions that exceed their memory are killed
  std::function<void()> end_functions;  // ends the functions that still run; empty: the cloud cannot do that
  // For clouds that cannot end functions: leaves a mark that workers see within seconds. They then have `grace` to end.
  std::function<Result<>(const std::string& reason)> mark_stop;
  Seconds grace = 0;
  // How often each worker is invoked again after it was lost: its function crashed, timed out or never answered. It
  // goes on from its newest snapshot.
  int restarts = 0;
  std::int64_t first_incarnation = 0;  // of every worker; 0: nobody has played this job before
};

// A worker that was lost and is invoked again.
struct Accident {
  WorkerId worker;
  int times = 1;  // this one included
  Error error;    // what became of the function
};

class InvokedWorkers {
 public:
  // Invokes every worker; one that answers "continue" is invoked again from where it stopped.
  InvokedWorkers(FunctionService& functions, LaunchOptions options);
  ~InvokedWorkers();  // stop()
  InvokedWorkers(const InvokedWorkers&) = delete;
  InvokedWorkers& operator=(const InvokedWorkers&) = delete;

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

  // Those since the last call, in their order.
  std::vector<Accident> take_accidents();

  Bytes peak_memory() const;  // largest any function reported
  // From the REPORT lines of the invocations that have ended: what clouds without a bill of their own tell.
  Bill reported_usage() const;

 private:
  // Why an invocation gave no answer to go on with, and whether another one may.
  struct Loss {
    Error error;
    bool passing = false;
  };

  static Error told_how_often(const Loss& loss, int losses);
  void run(WorkerId worker, std::stop_token stop);
  Result<> play(WorkerId worker, const std::stop_token& stop);
  bool is_stopping(const std::stop_token& stop) const;
  tl::expected<WorkerAnswer, Loss> invoke(const WorkerInvocation& invocation, std::stop_token stop);

  FunctionService& functions_;
  const LaunchOptions options_;
  mutable std::mutex mutex_;  // guards the members up to threads_
  std::condition_variable_any changed_;
  int running_ = 0;
  bool stopping_ = false;  // no further life begins
  std::optional<Error> failure_;
  std::optional<WorkerId> failed_worker_;
  std::vector<Accident> accidents_;
  Bytes peak_memory_ = 0;
  Bill reported_;
  std::vector<std::jthread> threads_;
};

}  // namespace funcpipe
