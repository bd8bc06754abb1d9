#include "emulator/lambda/instance.h"

#include <fmt/chrono.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cmath>
#include <cstdlib>

#include "base/clock.h"
#include "base/owned_folder.h"
#include "emulator/isolation/peer_socket.h"

namespace funcpipe {
namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;
namespace {

// Lambda's limit of the init phase. An instance that takes longer is started again within the invocation. Source:
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
constexpr Seconds kInitLimit = 10;
constexpr Seconds kExitLimit = 10;  // how long a killed process may take to end
constexpr std::chrono::milliseconds kMemoryTick{50};

SteadyClock::duration to_duration(Seconds seconds) {
  return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<Seconds>(seconds));
}

Seconds round_up(Seconds seconds, Seconds step) {
  return step > 0 ? std::ceil(seconds / step - 1e-9) * step : seconds;
}

// The name, in the instance's folder, of the folder for TMPDIR and HOME.
constexpr const char* kScratch = "tmp";

std::string error_json(const std::string& type, const std::string& request_id, const std::string& what) {
  return nlohmann::json{{"errorType", type}, {"errorMessage", fmt::format("RequestId: {} Error: {}", request_id, what)}}
      .dump();
}

}  // namespace

// Why an invocation failed: the payload of the answer, and what the REPORT line says.
struct Instance::Failure {
  std::string payload;
  std::string status;  // "Status: error\tError Type: Runtime.ExitError"
  bool timed_out = false;
};

SandboxLimits sandbox_limits(const Platform& platform, const LambdaFunction& function, double dilation) {
  SandboxLimits limits;
  const FunctionSize* size = platform.size(function.memory_mb, function.vcpus);
  if (platform.limited && platform.limit_memory) limits.memory = function.memory_mb * kMiB;
  if (platform.limited && platform.limit_cpu && size) limits.vcpus = size->vcpus / dilation;
  return limits;
}

Result<std::shared_ptr<Instance>> Instance::start(const InstanceHost& host, const LambdaFunction& function,
                                                  std::shared_ptr<UnpackedPackage> package) {
  std::shared_ptr<Instance> instance(new Instance(host, function, std::move(package)));
  FUNCPIPE_TRY_VOID(instance->set_up());
  asio::co_spawn(
      host.context, [instance] { return instance->watch_process(); }, asio::detached);
  asio::co_spawn(
      host.context, [instance] { return instance->watch_output(); }, asio::detached);
  asio::co_spawn(
      host.context, [instance] { return instance->watch_memory(); }, asio::detached);
  return instance;
}

Instance::Instance(const InstanceHost& host, const LambdaFunction& function, std::shared_ptr<UnpackedPackage> package)
    : host_(host),
      function_(function),
      package_(std::move(package)),
      id_(compact_uuid()),
      log_stream_(fmt::format("{:%Y/%m/%d}/[$LATEST]{}", fmt::gmtime(std::time_t(unix_time())), id_)),
      folder_(host.options->folder / "instances" / id_),
      log_(host.options->folder / "logs" / function.name, id_),
      message_came_(host.context),
      memory_tick_(host.context),
      started_at_(SteadyClock::now()) {}

Instance::~Instance() {
  end();
  // The function may have left many files there, so another thread removes them.
  asio::post(host_.file_threads, [folder = folder_] { (void)remove_owned_folder(folder); });
}

Result<> Instance::set_up() {
  FUNCPIPE_TRY_VOID(make_owned_folder(folder_));
  FUNCPIPE_TRY_VOID(make_private_folders(folder_ / kScratch));
  const SandboxLimits limits = sandbox_limits(host_.options->platform, function_, host_.options->dilation);
  FUNCPIPE_TRY(sandbox, host_.isolation->make_sandbox("instance-" + id_, limits));
  sandbox_ = std::move(sandbox);
  // `this` stays valid: end() stops the Runtime API, which then calls its reader no more.
  const auto reader = [this](RuntimeMessage message) {
    std::visit([this](auto& one) { post(std::move(one)); }, message);
  };
  const auto doorkeeper = [this](std::uint16_t peer_port) { return owns(peer_port); };
  FUNCPIPE_TRY(api, RuntimeApi::listen(host_.context, host_.file_threads,
                                       host_.options->platform.limits.request_payload, reader, doorkeeper));
  api_ = std::move(api);

  Account account = instance_account(host_.options->platform, function_, host_.store, host_.options->dilation);
  access_key_id_ = account.credentials.access_key_id;
  const InstanceNames names{.log_stream = log_stream_,
                            .task_root = package_->files,
                            .scratch = folder_ / kScratch,
                            .runtime_api = fmt::format("127.0.0.1:{}", api_->port()),
                            .s3_url = host_.options->s3_url,
                            .region = host_.options->region};
  const ProcessSpec spec{.program = package_->files / "bootstrap",
                         .folder = package_->files,
                         .environment = instance_environment(function_, names, account.credentials),
                         .doors = sandbox_->doors()};
  host_.table.add(std::move(account));
  FUNCPIPE_TRY(process, InstanceProcess::spawn(host_.context.get_executor(), spec));
  process_ = std::move(process);
  sandbox_->started(process_->pid());
  host_.guardian.watch(process_->pid(), sandbox_->last_write());
  return {};
}

void Instance::end() {
  if (!alive_) return;
  alive_ = false;
  host_.table.remove(access_key_id_);
  if (api_) api_->stop();
  if (sandbox_) sandbox_->kill();
  if (process_) {
    process_->end();
    drain_output();
    host_.guardian.forget(process_->pid());
  }
  memory_tick_.cancel();
  post(Exited{});
}

// The port can be reached by other processes of the same user, among them those of other instances.
bool Instance::owns(std::uint16_t peer_port) const {
  const auto socket = loopback_peer(peer_port, static_cast<std::uint16_t>(api_->port()));
  return socket && holds_socket(sandbox_->processes(), *socket);
}

void Instance::post(Message message) {
  // A runtime that asks repeatedly for an event is recorded once.
  const bool repeated = !messages_.empty() && std::holds_alternative<RuntimeReady>(message) &&
                        std::holds_alternative<RuntimeReady>(messages_.back());
  if (!repeated) messages_.push_back(std::move(message));
  message_came_.cancel();
}

asio::awaitable<std::optional<Instance::Message>> Instance::message_until(TimePoint deadline) {
  while (messages_.empty()) {
    if (SteadyClock::now() >= deadline) co_return std::nullopt;
    message_came_.expires_at(deadline);
    boost::system::error_code cancelled;
    co_await message_came_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  Message message = std::move(messages_.front());
  messages_.pop_front();
  co_return message;
}

asio::awaitable<void> Instance::watch_process() {
  const auto self = shared_from_this();
  co_await process_->wait_for_exit();
  end();  // kills its children, too
}

asio::awaitable<void> Instance::watch_output() {
  const auto self = shared_from_this();
  bool open = true;
  while (open && alive_) {
    co_await process_->wait_for_output();
    if (!alive_) break;
    open = process_->read_output([this](std::string_view text) { log_.write(text); });
  }
}

// The kernel may kill only one of several processes. The cloud gives up the whole instance then, and so do we.
asio::awaitable<void> Instance::watch_memory() {
  const auto self = shared_from_this();
  while (alive_) {
    memory_tick_.expires_after(kMemoryTick);
    boost::system::error_code cancelled;
    co_await memory_tick_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (alive_ && !ready_ && sandbox_->memory_exceeded()) sandbox_->kill();
  }
}

void Instance::drain_output() {
  process_->read_output([this](std::string_view text) { log_.write(text); });
}

asio::awaitable<void> Instance::kill_and_wait() {
  sandbox_->kill();
  const auto deadline = SteadyClock::now() + to_duration(kExitLimit);
  while (alive_ && (co_await message_until(deadline))) {
  }
  end();
}

Seconds Instance::undilated_since(TimePoint start) const {
  return std::chrono::duration<Seconds>(SteadyClock::now() - start).count() / host_.options->dilation;
}

asio::awaitable<InvocationOutcome> Instance::run(InvocationRequest invocation, InitPhase phase) {
  const auto self = shared_from_this();
  ready_ = false;
  log_.begin_tail();
  if (initialised_) {
    sandbox_->thaw();
    co_return co_await process(invocation, SteadyClock::now(), std::nullopt);
  }
  initialised_ = true;
  const bool own = phase == InitPhase::own;
  auto failure = co_await initialise(invocation.request_id, own ? kInitLimit : Seconds(function_.timeout_seconds));
  const Seconds took = undilated_since(started_at_);
  const auto init = own ? std::optional(took) : std::nullopt;
  if (!failure) co_return co_await process(invocation, own ? SteadyClock::now() : started_at_, init);
  if (alive_) drain_output();
  log_.write(fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: {}\t{}\n", took * 1e3, own ? "init" : "invoke",
                         failure->status));
  if (own && failure->timed_out) {
    co_await kill_and_wait();
    co_return InvocationOutcome{.payload = failure->payload,
                                .failed = true,
                                .billed_seconds = round_up(took, host_.options->platform.prices.billing_step),
                                .init_timed_out = true};
  }
  log_.write(fmt::format("START RequestId: {} Version: $LATEST\n", invocation.request_id));
  if (alive_) co_await kill_and_wait();
  co_return report(invocation, {.payload = failure->payload, .failed = true}, failure->status, own ? 0 : took, init);
}

asio::awaitable<std::optional<Instance::Failure>> Instance::initialise(const std::string& request_id, Seconds limit) {
  const auto started = co_await process_->wait_for_start();
  if (!started) {
    const std::string what = started.error().code == ErrorCode::not_found
                                 ? "Couldn't find valid bootstrap(s): [/var/task/bootstrap]"
                                 : "fork/exec /var/task/bootstrap: " + started.error().message;
    co_return Failure{error_json("Runtime.InvalidEntrypoint", request_id, what),
                      "Status: error\tError Type: Runtime.InvalidEntrypoint"};
  }
  const auto message = co_await message_until(started_at_ + to_duration(limit * host_.options->dilation));
  if (!message)
    co_return Failure{
        error_json("Sandbox.Timedout", request_id, fmt::format("Task timed out after {:.2f} seconds", limit)),
        "Status: timeout", true};
  if (std::holds_alternative<RuntimeReady>(*message)) co_return std::nullopt;
  if (const auto* failed = std::get_if<RuntimeInitFailed>(&*message))
    co_return Failure{failed->payload, "Status: error\tError Type: Runtime.InitError"};
  co_return exit_failure(request_id);
}

Instance::Failure Instance::exit_failure(const std::string& request_id) const {
  const std::string how = describe_exit(process_->exit_status().value_or(0));
  const std::string what =
      how.empty() ? "Runtime exited without providing a reason" : "Runtime exited with error: " + how;
  const bool memory = sandbox_->memory_exceeded();
  return {error_json("Runtime.ExitError", request_id, memory ? "Runtime exited with error: signal: killed" : what),
          fmt::format("Status: error\tError Type: Runtime.{}", memory ? "OutOfMemory" : "ExitError")};
}

asio::awaitable<InvocationOutcome> Instance::process(const InvocationRequest& invocation, TimePoint begin,
                                                     std::optional<Seconds> init) {
  const Seconds limit = function_.timeout_seconds * host_.options->dilation;
  log_.write(fmt::format("START RequestId: {} Version: $LATEST\n", invocation.request_id));
  api_->deliver({.request_id = invocation.request_id,
                 .payload = invocation.payload,
                 .function_arn = function_arn(host_.options->region, function_.name),
                 .trace_id = fmt::format("Root=1-{:08x}-{};Sampled=0", static_cast<long long>(unix_time()),
                                         compact_uuid().substr(0, 24)),
                 .deadline_unix_ms =
                     std::llround((unix_time() + limit - undilated_since(begin) * host_.options->dilation) * 1e3)});
  InvocationOutcome outcome;
  std::string status;
  bool answered = false;
  // An invocation ends when the runtime has answered and asks for the next event.
  while (!ready_) {
    const auto message = co_await message_until(begin + to_duration(limit));
    if (!message) {
      co_await kill_and_wait();
      if (answered) break;
      const std::string what = fmt::format("Task timed out after {:.2f} seconds", Seconds(function_.timeout_seconds));
      outcome = {.payload = error_json("Sandbox.Timedout", invocation.request_id, what), .failed = true};
      status = "Status: timeout";
      break;
    }
    if (const auto* answer = std::get_if<RuntimeAnswer>(&*message)) {
      answered = true;
      outcome = {.payload = answer->payload, .failed = answer->failed};
      if (answer->too_large)
        outcome = {.payload = error_json("Function.ResponseSizeTooLarge", invocation.request_id,
                                         "Response payload size exceeded maximum allowed payload size"),
                   .failed = true};
      if (outcome.failed) status = "Status: error\tError Type: Runtime.Unknown";
    } else if (std::holds_alternative<RuntimeReady>(*message)) {
      ready_ = answered;
    } else if (std::holds_alternative<Exited>(*message)) {
      if (answered) break;
      const Failure failure = exit_failure(invocation.request_id);
      outcome = {.payload = failure.payload, .failed = true};
      status = failure.status;
      break;
    }
  }
  const Seconds duration = std::min(undilated_since(begin), Seconds(function_.timeout_seconds));
  if (ready_) {
    sandbox_->freeze();
    drain_output();
  }
  co_return report(invocation, std::move(outcome), status, duration, init);
}

InvocationOutcome Instance::report(const InvocationRequest& invocation, InvocationOutcome outcome,
                                   const std::string& status, Seconds duration, std::optional<Seconds> init) {
  outcome.billed_seconds = round_up(init.value_or(0) + duration, host_.options->platform.prices.billing_step);
  const auto peak_mb = (sandbox_->peak_memory() + kMiB - 1) / kMiB;
  std::string line = fmt::format(
      "REPORT RequestId: {}\tDuration: {:.2f} ms\tBilled Duration: {:.0f} ms\tMemory Size: {} MB\t"
      "Max Memory Used: {} MB\t",
      invocation.request_id, duration * 1e3, outcome.billed_seconds * 1e3, function_.memory_mb, peak_mb);
  if (init) line += fmt::format("Init Duration: {:.2f} ms\t", *init * 1e3);
  log_.write(fmt::format("END RequestId: {}\n{}{}\n", invocation.request_id, line, status));
  outcome.log_tail = log_.tail();
  return outcome;
}

}  // namespace funcpipe
