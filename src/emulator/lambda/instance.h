// A function instance: one process in its sandbox with a Runtime API of its own. It handles one invocation at a time.
// The first invocation starts it, it is frozen between invocations, and it lives until it is ended, fails or times out.
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

// What all instances of an emulator share. The members that are shared pointers may be needed while coroutines end
// after the server; the references are needed only until the instance's end().
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
  bool failed = false;          // answered with the header X-Amz-Function-Error: Unhandled
  std::string log_tail;         // its last line is the REPORT line
  Seconds billed_seconds = 0;   // divided by the dilation and rounded up to the billing step
  bool init_timed_out = false;  // only the start was tried; the invocation needs another instance
};

// When the runtime starts. It first gets a phase of its own of at most 10 s. If that is too short, a new instance
// starts within the invocation and uses the invocation's time.
enum class InitPhase { own, in_invocation };

// Shared by its caller and by the coroutines that watch its process.
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
  // Kills its processes and withdraws its credentials at once.
  void end();

 private:
  struct Exited {};
  using Message = std::variant<RuntimeReady, RuntimeAnswer, RuntimeInitFailed, Exited>;
  using TimePoint = std::chrono::steady_clock::time_point;
  struct Failure;

  Instance(const InstanceHost& host, const LambdaFunction& function, std::shared_ptr<UnpackedPackage> package);
  Result<> set_up();
  void post(Message message);
  // Whether the connection from that port of 127.0.0.1 comes from this instance.
  bool owns(std::uint16_t peer_port) const;
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
  std::filesystem::path folder_;  // owned by the instance; contains TMPDIR, which the function may empty
  std::string access_key_id_;
  InstanceLog log_;
  std::unique_ptr<Sandbox> sandbox_;  // must outlive the process
  std::shared_ptr<RuntimeApi> api_;
  std::unique_ptr<InstanceProcess> process_;
  std::deque<Message> messages_;
  boost::asio::steady_timer message_came_;
  boost::asio::steady_timer memory_tick_;
  TimePoint started_at_;
  bool initialised_ = false;
  bool ready_ = false;  // the runtime has asked for an event; the instance is frozen
  bool alive_ = true;
};

// The limits on this machine for instances of the function.
SandboxLimits sandbox_limits(const Platform& platform, const LambdaFunction& function, double dilation);

}  // namespace funcpipe
