// Chooses the instance for each invocation. A warm instance is reused, the most recently used first. Otherwise a new
// one is started, up to the concurrency limit. Instances that stay idle are ended. It also queues asynchronous
// invocations and writes the bill.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "catalog/bill.h"
#include "emulator/lambda/function_table.h"
#include "emulator/lambda/instance.h"

namespace funcpipe {

// An invocation under way. The instance's side and whoever waits for the outcome share it.
class PendingInvocation {
 public:
  explicit PendingInvocation(boost::asio::io_context& context)
      : finished_(context, boost::asio::steady_timer::time_point::max()) {}
  boost::asio::awaitable<InvocationOutcome> outcome();
  void finish(InvocationOutcome outcome);

 private:
  std::optional<InvocationOutcome> outcome_;
  boost::asio::steady_timer finished_;  // never expires; finish() cancels it
};

// Shared with the invocations under way.
class LambdaScheduler : public std::enable_shared_from_this<LambdaScheduler> {
 public:
  LambdaScheduler(InstanceHost host, std::shared_ptr<const FunctionTable> functions, Bill& bill);

  void start();  // begins to reap
  // Errors: TooManyRequestsException (429) at the concurrency limit, ServiceException (500) if no process can be made.
  LambdaResult<std::shared_ptr<PendingInvocation>> invoke(const FunctionTable::Entry& entry,
                                                          InvocationRequest invocation);
  // At least once: waits for room, and repeats what fails as often as the function's `retries` says.
  // Errors: TooManyRequestsException (429) where too many wait already.
  LambdaResult<> invoke_later(const std::string& name, InvocationRequest invocation);
  // The function was changed or removed: its idle instances end now, the others after what they do.
  void retire(const std::string& name);
  void end_instances();  // the invocations they run fail
  void stop();           // ends every instance and starts no more

 private:
  struct Idle {
    std::string name, revision;
    std::shared_ptr<Instance> instance;
    std::chrono::steady_clock::time_point since;
  };
  std::shared_ptr<Instance> take_idle(const LambdaFunction& function);
  boost::asio::awaitable<void> run(LambdaFunction function, std::shared_ptr<Instance> instance,
                                   InvocationRequest invocation, std::shared_ptr<PendingInvocation> pending);
  boost::asio::awaitable<void> run_event(std::string name, InvocationRequest invocation);
  boost::asio::awaitable<void> reap();
  boost::asio::awaitable<void> pause(Seconds seconds);

  InstanceHost host_;
  std::shared_ptr<const FunctionTable> functions_;
  Bill& bill_;
  std::list<Idle> idle_;  // the most recently used is first
  std::set<std::shared_ptr<Instance>> running_;
  int events_ = 0;  // asynchronous invocations that have not ended
  Bytes event_bytes_ = 0;
  boost::asio::steady_timer reap_tick_;
  bool stopped_ = false;
};

}  // namespace funcpipe
