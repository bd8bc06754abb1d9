// A function instance: one process in its sandbox behind its own Runtime API, for one invocation at a time. It is
// started with the first invocation, frozen between invocations, and lives until it is ended, fails or times out.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "emulator/credential_table.h"
#include "emulator/isolation/instance_guardian.h"
#include "emulator/isolation/instance_process.h"
#include "emulator/isolation/isolation.h"
#include "emulator/lambda/function.h"
#include "emulator/lambda/instance_environment.h"
#include "emulator/lambda/instance_log.h"
#include "emulator/lambda/options.h"
#include "emulator/lambda/package.h"
#include "emulator/lambda/runtime_api.h"

namespace funcpipe {

// What all instances of an emulator share. The shared parts may be needed while coroutines unwind after the server's
// end; the others only until the instance's end().
struct InstanceHost {
  boost::asio::io_context& context;
  boost::asio::thread_pool& file_threads;
  std::shared_ptr<const LambdaOptions> options;
  std::shared_ptr<Isolation> isolation;
  CredentialTable& table;
  InstanceGuardian& guardian;
  StoreLinks store;
};

struct InvocationRequest {
  std::string request_id, payload;
};

struct InvocationOutcome {
  std::string payload;
  bool failed = false;          // X-Amz-Function-Error: Unhandled
  std::string log_tail;         // ends with the REPORT line
  Seconds billed_seconds = 0;   // dilation divided out, rounded up to the billing step
  bool init_timed_out = false;  // nothing else was done: the invocation wants another instance
};

// When the runtime comes up: in a phase of its own, of 10 s, or, where that was too short, within the invocation, whose
// time it uses.
enum class InitPhase { own, in_invocation };

// Shared by whoever runs it, and by the coroutines that watch its process.
class Instance : public std::enable_shared_from_this<Instance> {
 public:
  // Starts the process. Errors: exhausted, unavailable, permission_denied.
  static Result<std::shared_ptr<Instance>> start(const InstanceHost& host, const LambdaFunction& function,
                                                 std::shared_ptr<UnpackedPackage> package);
  ~Instance();

  // One at a time. The first waits for the runtime to come up.
  boost::asio::awaitable<InvocationOutcome> run(InvocationRequest invocation, InitPhase phase = InitPhase::own);
  // Starts another one like this.
  Result<std::shared_ptr<Instance>> another() const { return start(host_, function_, package_); }
  bool alive() const { return alive_; }
  // Kills its processes and takes back its credentials, at once.
  void end();

 private:
  struct Exited {};
  using Message = std::variant<RuntimeReady, RuntimeAnswer, RuntimeInitFailed, Exited>;
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Failure;

  Instance(const InstanceHost& host, const LambdaFunction& function, std::shared_ptr<UnpackedPackage> package);
  Result<> set_up();
  void post(Message message);
  bool owns(std::uint16_t peer_port) const;  // the connection from that port of 127.0.0.1
  boost::asio::awaitable<std::optional<Message>> message_until(TimePoint deadline);
  boost::asio::awaitable<void> watch_process();
  boost::asio::awaitable<void> watch_output();
  boost::asio::awaitable<void> watch_memory();
  boost::asio::awaitable<std::optional<Failure>> initialise(const std::string& request_id, Seconds limit);
  boost::asio::awaitable<InvocationOutcome> process(const InvocationRequest& invocation, TimePoint begin,
                                                    std::optional<Seconds> init);
  Failure exit_failure(const std::string& request_id) const;
  boost::asio::awaitable<void> kill_and_wait();
  void drain_output();
  Seconds undilated_since(TimePoint start) const;
  InvocationOutcome report(const InvocationRequest& invocation, InvocationOutcome outcome, const std::string& status,
                           Seconds duration, std::optional<Seconds> init);

  const InstanceHost host_;
  const LambdaFunction function_;
  std::shared_ptr<UnpackedPackage> package_;  // shared with the function's other instances
  std::string id_;
  std::string log_stream_;
  std::filesystem::path folder_;  // owned; in it lies TMPDIR, which the function may empty
  std::string access_key_id_;
  InstanceLog log_;
  std::unique_ptr<Sandbox> sandbox_;  // outlives the process
  std::shared_ptr<RuntimeApi> api_;
  std::unique_ptr<InstanceProcess> process_;
  std::deque<Message> messages_;
  boost::asio::steady_timer message_came_;
  boost::asio::steady_timer memory_tick_;
  TimePoint started_at_;
  bool initialised_ = false;
  bool ready_ = false;  // waits for an event, frozen
  bool alive_ = true;
};

// The limits of a function's instances on this machine.
SandboxLimits sandbox_limits(const Platform& platform, const LambdaFunction& function, double dilation);

}  // namespace funcpipe
