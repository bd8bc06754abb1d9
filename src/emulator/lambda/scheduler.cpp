#include "emulator/lambda/scheduler.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace funcpipe {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Lambda repeats a failed event after one and then two minutes. An emulation cannot take that long.
constexpr Seconds kRetryPause = 1;
constexpr Seconds kEventLifetime = 6 * 3600;  // Lambda drops events that it could not run for so long
constexpr int kMostEvents = 10'000;           // that wait or run
constexpr Bytes kMostEventBytes = 256 * kMiB;
constexpr Seconds kFirstThrottlePause = 0.05, kLongestThrottlePause = 1;
constexpr Seconds kShortestReapTick = 0.02, kLongestReapTick = 1;

SteadyClock::duration to_duration(Seconds seconds) {
  return std::chrono::duration_cast<SteadyClock::duration>(std::chrono::duration<Seconds>(seconds));
}

}  // namespace

asio::awaitable<InvocationOutcome> PendingInvocation::outcome() {
  while (!outcome_) {
    boost::system::error_code cancelled;
    co_await finished_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
  }
  co_return *outcome_;
}

void PendingInvocation::finish(InvocationOutcome outcome) {
  outcome_ = std::move(outcome);
  finished_.cancel();
}

LambdaScheduler::LambdaScheduler(InstanceHost host, std::shared_ptr<const FunctionTable> functions, Bill& bill)
    : host_(std::move(host)), functions_(std::move(functions)), bill_(bill), reap_tick_(host.context) {}

void LambdaScheduler::start() {
  asio::co_spawn(
      host_.context, [self = shared_from_this()] { return self->reap(); }, asio::detached);
}

LambdaResult<std::shared_ptr<PendingInvocation>> LambdaScheduler::invoke(const FunctionTable::Entry& entry,
                                                                         InvocationRequest invocation) {
  if (static_cast<int>(running_.size()) >= host_.options->platform.limits.concurrency)
    return tl::unexpected(LambdaError{429, "TooManyRequestsException", "Rate Exceeded."});
  auto instance = take_idle(entry.function);
  if (!instance) {
    // Idle instances are ended, so that no more instances exist than the concurrency limit allows.
    while (!idle_.empty() &&
           static_cast<int>(running_.size() + idle_.size()) >= host_.options->platform.limits.concurrency) {
      idle_.back().instance->end();
      idle_.pop_back();
    }
    auto started = Instance::start(host_, entry.function, entry.package);
    if (!started) return tl::unexpected(LambdaError{500, "ServiceException", describe(started.error())});
    instance = std::move(*started);
  }
  running_.insert(instance);
  auto pending = std::make_shared<PendingInvocation>(host_.context);
  const auto work = [self = shared_from_this(), function = entry.function, instance, invocation = std::move(invocation),
                     pending]() { return self->run(function, instance, invocation, pending); };
  asio::co_spawn(host_.context, work, asio::detached);
  return pending;
}

std::shared_ptr<Instance> LambdaScheduler::take_idle(const LambdaFunction& function) {
  std::erase_if(idle_, [](const Idle& idle) { return !idle.instance->alive(); });
  const auto found = std::ranges::find_if(
      idle_, [&](const Idle& idle) { return idle.name == function.name && idle.revision == function.revision; });
  if (found == idle_.end()) return nullptr;
  auto instance = std::move(found->instance);
  idle_.erase(found);
  return instance;
}

asio::awaitable<void> LambdaScheduler::run(LambdaFunction function, std::shared_ptr<Instance> instance,
                                           InvocationRequest invocation, std::shared_ptr<PendingInvocation> pending) {
  const auto self = shared_from_this();
  auto outcome = co_await instance->run(invocation);
  if (outcome.init_timed_out && !stopped_) {  // as Lambda does: once more, on the invocation's own time
    if (auto second = instance->another()) {
      running_.erase(instance);
      instance = std::move(*second);
      running_.insert(instance);
      const Seconds first_try = outcome.billed_seconds;
      outcome = co_await instance->run(std::move(invocation), InitPhase::in_invocation);
      outcome.billed_seconds += first_try;
    }
  }
  running_.erase(instance);
  if (stopped_) {  // the invocation is not billed and the instance not kept
    pending->finish(std::move(outcome));
    co_return;
  }
  const FunctionSize* size = host_.options->platform.size(function.memory_mb, function.vcpus);
  bill_.by_function[function.name].add_invocation(function.memory_mb, size ? size->vcpus : 0, outcome.billed_seconds);
  const auto* current = functions_->find(function.name);
  if (instance->alive() && current && current->function.revision == function.revision)
    idle_.push_front({function.name, function.revision, instance, SteadyClock::now()});
  else
    instance->end();
  pending->finish(std::move(outcome));
}

LambdaResult<> LambdaScheduler::invoke_later(const std::string& name, InvocationRequest invocation) {
  const auto size = static_cast<Bytes>(invocation.payload.size());
  if (events_ >= kMostEvents || event_bytes_ + size > kMostEventBytes)
    return tl::unexpected(LambdaError{429, "TooManyRequestsException", "Too many events wait to be run."});
  ++events_;
  event_bytes_ += size;
  const auto work = [self = shared_from_this(), name, invocation = std::move(invocation)] {
    return self->run_event(name, invocation);
  };
  asio::co_spawn(host_.context, work, asio::detached);
  return {};
}

asio::awaitable<void> LambdaScheduler::run_event(std::string name, InvocationRequest invocation) {
  const auto self = shared_from_this();
  const std::shared_ptr<void> leave(nullptr, [self, size = static_cast<Bytes>(invocation.payload.size())](void*) {
    --self->events_;
    self->event_bytes_ -= size;
  });
  Seconds throttle_pause = kFirstThrottlePause;
  const auto deadline = SteadyClock::now() + to_duration(kEventLifetime * host_.options->dilation);
  for (int attempt = 0; !stopped_ && SteadyClock::now() < deadline;) {
    const auto* entry = functions_->find(name);
    if (!entry) co_return;
    const int retries = entry->function.retries;
    auto pending = invoke(*entry, invocation);
    if (!pending) {
      co_await pause(throttle_pause);
      throttle_pause = std::min(throttle_pause * 2, kLongestThrottlePause);
      continue;
    }
    const auto outcome = co_await (*pending)->outcome();
    if (stopped_ || !outcome.failed || ++attempt > retries) co_return;
    co_await pause(attempt * kRetryPause);
  }
}

asio::awaitable<void> LambdaScheduler::pause(Seconds seconds) {
  asio::steady_timer timer(host_.context, to_duration(seconds * host_.options->dilation));
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> LambdaScheduler::reap() {
  const Seconds idle_timeout = host_.options->platform.limits.idle_timeout * host_.options->dilation;
  const Seconds tick = std::clamp(idle_timeout / 4, kShortestReapTick, kLongestReapTick);
  while (!stopped_) {
    reap_tick_.expires_after(to_duration(tick));
    boost::system::error_code cancelled;
    co_await reap_tick_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    const auto oldest = SteadyClock::now() - to_duration(idle_timeout);
    std::erase_if(idle_, [&](const Idle& idle) {
      if (idle.since >= oldest && idle.instance->alive()) return false;
      idle.instance->end();
      return true;
    });
  }
}

void LambdaScheduler::retire(const std::string& name) {
  std::erase_if(idle_, [&](const Idle& idle) {
    if (idle.name != name) return false;
    idle.instance->end();
    return true;
  });
}

void LambdaScheduler::stop() {
  stopped_ = true;
  reap_tick_.cancel();
  end_instances();
}

void LambdaScheduler::end_instances() {
  for (auto& idle : idle_) idle.instance->end();
  idle_.clear();
  for (const auto& instance : running_) instance->end();
}

}  // namespace funcpipe
