#include "store/retry.h"

#include <algorithm>
#include <charconv>
#include <random>

#include "base/random.h"

namespace funcpipe {
namespace {

// The status by which a service asks for fewer requests. (429 limits how many functions run at once, not a rate.)
constexpr int kSlowDown = 503;

bool may_pass(int status, Retrier::Repeat repeat) {
  if (status == 429) return true;
  // 507 means that the service's disk is full, which may pass.
  return repeat == Retrier::Repeat::idempotent &&
         (status == 500 || status == 502 || status == 503 || status == 504 || status == 507);
}

bool may_pass(const HttpFailure& failure, Retrier::Repeat repeat) {
  switch (failure.kind) {
    case HttpFailure::Kind::refused:
      return repeat == Retrier::Repeat::idempotent || !failure.sent;
    case HttpFailure::Kind::cut:
    case HttpFailure::Kind::timeout:
      return repeat == Retrier::Repeat::idempotent;
    default:
      return false;
  }
}

// Reads the Retry-After header in seconds, at most 60. A date in it counts as no pause.
Seconds asked_pause(const HttpAnswer& answer) {
  const auto asked = answer.header("retry-after");
  int seconds = 0;
  if (asked) std::from_chars(asked->data(), asked->data() + asked->size(), seconds);
  return std::clamp(seconds, 0, 60);
}

}  // namespace

Retrier::Retrier(const RetryPolicy& policy, std::string endpoint, bool loopback, Seconds total_silent)
    : policy_(policy),
      endpoint_(std::move(endpoint)),
      loopback_(loopback),
      total_silent_(total_silent),
      repeats_(policy),
      seed_(policy.seed) {
  if (seed_ == 0) {
    std::random_device device;
    seed_ = mix(device(), {device()});
  }
}

std::optional<Seconds> Retrier::take_turn(Seconds latest) {
  std::lock_guard lock(mutex_);
  return send_rate_.take(clock_.now(), latest);
}

void Retrier::slow_down(Seconds sent) {
  std::lock_guard lock(mutex_);
  send_rate_.refused(clock_.now(), sent);
}

std::optional<Seconds> Retrier::pause_after(FailedTries tries) {
  tries.random = mix(seed_, {draws_.fetch_add(1)});
  std::lock_guard lock(mutex_);
  return repeats_.pause_after(tries);
}

tl::unexpected<Error> Retrier::give_up(const std::string& what, const HttpFailure& failure, int tries,
                                       Seconds elapsed) const {
  const std::string effort =
      tries == 1 ? std::string() : fmt::format(" ({} tries in {})", tries, format_seconds(elapsed));
  switch (failure.kind) {
    case HttpFailure::Kind::stopped:
      return fail(ErrorCode::cancelled, "stopped while waiting for the answer", what);
    case HttpFailure::Kind::rejected:
      return tl::unexpected(Error{failure.error.code, failure.error.message,
                                  failure.error.place.empty() ? what : failure.error.place, failure.error.hint});
    case HttpFailure::Kind::timeout:
      return fail(ErrorCode::timeout, fmt::format("no answer from {}{}: {}", endpoint_, effort, failure.message), what);
    case HttpFailure::Kind::not_http:
      return fail(
          ErrorCode::failed,
          fmt::format("something answers at {}, but it does not speak HTTP{}: {}", endpoint_, effort, failure.message),
          what, "Check the endpoint's address and port: another service listens there.");
    default:
      break;
  }
  std::string hint = "Check the endpoint's address and this machine's network.";
  if (loopback_) hint = "Nobody answers there on this machine: is the emulator still running?";
  return fail(ErrorCode::unavailable, fmt::format("cannot reach {}{}: {}", endpoint_, effort, failure.message), what,
              hint);
}

Result<HttpAnswer> Retrier::run(const std::string& what, const Attempt& attempt, Repeat repeat, std::stop_token stop) {
  const Seconds start = clock_.now();
  Seconds not_running = 0;  // time in which this process stood still, which the limits do not count
  tl::expected<HttpAnswer, HttpFailure> outcome;
  for (int tries = 1;; ++tries) {
    const auto turn = take_turn(start + not_running + policy_.total);
    if (!turn && tries > 1 && outcome) return std::move(*outcome);
    if (!turn)
      return fail(ErrorCode::unavailable,
                  fmt::format("{} refused requests, and too many wait until it takes more: no turn within {}",
                              endpoint_, format_seconds(policy_.total)),
                  what);
    if (*turn > clock_.now() && !clock_.sleep_until(*turn, stop))
      return fail(ErrorCode::cancelled, "stopped while waiting to send", what);
    const Seconds sent = clock_.now();
    outcome = attempt();
    if (outcome && outcome->status == kSlowDown) slow_down(sent);
    if (outcome && !may_pass(outcome->status, repeat)) {
      if (outcome->status < 500) {
        std::lock_guard lock(mutex_);
        repeats_.succeeded();
      }
      return std::move(*outcome);
    }
    if (!outcome) not_running += outcome.error().not_running;
    const Seconds elapsed = clock_.now() - start - not_running;
    const bool silent = !outcome && outcome.error().kind == HttpFailure::Kind::timeout;
    Seconds limit = silent ? std::max(policy_.total, total_silent_) : policy_.total;
    if (!outcome && loopback_ && outcome.error().kind == HttpFailure::Kind::refused) {
      limit = std::min(limit, policy_.total_loopback_refused);
    }
    std::optional<Seconds> pause;
    if (outcome || may_pass(outcome.error(), repeat))
      pause = pause_after({.count = tries,
                           .elapsed = elapsed,
                           .limit = limit,
                           .any_number = silent && total_silent_ > 0,
                           .asked_pause = outcome ? asked_pause(*outcome) : 0});
    if (!pause) {
      if (outcome) return std::move(*outcome);
      return give_up(what, outcome.error(), tries, elapsed);
    }
    ++repeated_;
    if (!clock_.sleep_until(clock_.now() + *pause, stop)) {
      return fail(ErrorCode::cancelled, "stopped while waiting to try again", what);
    }
  }
}

}  // namespace funcpipe
