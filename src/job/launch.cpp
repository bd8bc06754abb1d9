#include "job/launch.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/backoff.h"
#include "base/files.h"
#include "base/random.h"
#include "job/report_line.h"

namespace funcpipe {
namespace {

constexpr std::size_t kShownLogLines = 15;

// Returns the last lines of a log, indented, for a place below an error.
std::string log_excerpt(std::string_view log) {
  std::vector<std::string_view> lines;
  while (!log.empty()) {
    const std::size_t end = std::min(log.find('\n'), log.size());
    if (end > 0) lines.push_back(log.substr(0, end));
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  if (lines.empty()) return {};
  std::string text = "\n  the end of its log:";
  for (std::size_t i = lines.size() - std::min(lines.size(), kShownLogLines); i < lines.size(); ++i)
    text += fmt::format("\n    {}", lines[i]);
  return text;
}

constexpr const char* kMoreMemory = "give it more memory (--platform.memory_mb) or cut the model into more stages";
constexpr double kNearLimit = 0.95;

// Between two lives of a worker that is lost again and again.
// A worker that times out twice in a row does not get on.
constexpr int kMostTimeOuts = 1;
constexpr RetryPolicy kRestartPauses{.first_delay = 0.1, .longest_delay = 10};

bool was_killed(const std::string& message) {
  return message.find("signal: killed") != std::string::npos;
}

// Whether the function had no more memory to take.
bool is_out_of_memory(const std::string& message, std::string_view log, const std::optional<ReportLine>& report,
                      bool memory_is_limited) {
  if (log.find("Runtime.OutOfMemory") != std::string_view::npos) return true;
  return was_killed(message) && report && memory_is_limited && report->max_memory_mb >= kNearLimit * report->memory_mb;
}

// Whether a function that ended so may come to its end another time. It would need as much memory again, and a package
// that does not start will not.
bool may_pass(const std::string& message, std::string_view log, const std::optional<ReportLine>& report,
              bool memory_is_limited) {
  return !is_out_of_memory(message, log, report, memory_is_limited) &&
         message.find("InvalidEntrypoint") == std::string::npos &&
         log.find("InvalidEntrypoint") == std::string_view::npos;
}

bool is_time_out(const std::string& message) {
  return message.find("Task timed out") != std::string::npos;
}

// The way out of what ended a function from outside. `report`: its last REPORT line.
std::string way_out(const std::string& message, std::string_view log, const std::optional<ReportLine>& report,
                    bool memory_is_limited) {
  if (log.find("Runtime.OutOfMemory") != std::string_view::npos)
    return fmt::format("it reached the limit of its memory: {}", kMoreMemory);
  if (is_out_of_memory(message, log, report, memory_is_limited))
    return fmt::format("it was at the limit of its memory: {}", kMoreMemory);
  if (was_killed(message)) {
    return "somebody killed it, or its machine ran out of memory, which its kernel log tells (dmesg)";
  }
  if (message.find("Task timed out") != std::string::npos)
    return "an iteration and a snapshot must fit a function's lifetime: raise --platform.lifetime, or make iterations "
           "shorter with more stages or replicas";
  return {};
}

// Says how much memory a killed function had.
std::string memory_of(const std::string& message, const std::optional<ReportLine>& report, bool memory_is_limited) {
  if (!report || !was_killed(message)) return {};
  return fmt::format(" (its memory: at most {} MB used of {} MB{})", report->max_memory_mb, report->memory_mb,
                     memory_is_limited ? "" : ", a limit that is not enforced here");
}

// Returns the message in the payload of a failed function on Lambda: {"errorMessage": ..., "errorType": ...}.
std::string failure_message(const Invocation& invocation) {
  const auto json = nlohmann::json::parse(invocation.payload, nullptr, false);
  if (json.is_object() && json.contains("errorMessage") && json["errorMessage"].is_string())
    return json["errorMessage"].get<std::string>();
  return *invocation.function_error;
}

}  // namespace

InvokedWorkers::InvokedWorkers(FunctionService& functions, LaunchOptions options)
    : functions_(functions), options_(std::move(options)) {
  running_ = static_cast<int>(options_.workers.size());
  for (const WorkerId worker : options_.workers)
    threads_.emplace_back([this, worker](std::stop_token stop) { run(worker, stop); });
}

InvokedWorkers::~InvokedWorkers() {
  stop();
}

bool InvokedWorkers::wait(Seconds limit, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, std::chrono::duration<double>(limit),
                    [&] { return running_ == 0 || failure_.has_value() || !accidents_.empty(); });
  return running_ == 0 && !failure_;
}

bool InvokedWorkers::done() const {
  const std::lock_guard lock(mutex_);
  return running_ == 0 && !failure_;
}

std::optional<Error> InvokedWorkers::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<WorkerId> InvokedWorkers::failed_worker() const {
  const std::lock_guard lock(mutex_);
  return failed_worker_;
}

int InvokedWorkers::stop(const std::string& reason) {
  if (threads_.empty()) return 0;
  int running = 0;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    running = running_;
    if (running > 0 && options_.mark_stop) {
      lock.unlock();
      const bool marked = options_.mark_stop(reason).has_value();
      lock.lock();
      if (marked) changed_.wait_for(lock, std::chrono::duration<double>(options_.grace), [&] { return running_ == 0; });
      running = running_;
    }
  }
  for (std::jthread& thread : threads_) thread.request_stop();
  threads_.clear();
  if (!options_.end_functions) return running;
  options_.end_functions();
  return 0;
}

Bytes InvokedWorkers::peak_memory() const {
  const std::lock_guard lock(mutex_);
  return peak_memory_;
}

Bill InvokedWorkers::reported_usage() const {
  const std::lock_guard lock(mutex_);
  return reported_;
}

std::vector<Accident> InvokedWorkers::take_accidents() {
  const std::lock_guard lock(mutex_);
  return std::exchange(accidents_, {});
}

Error InvokedWorkers::told_how_often(const Loss& loss, int losses) {
  Error error = loss.error;
  if (losses > 0)
    error.message = fmt::format("it was lost for the {}. time, and is not started again (training.restarts): {}",
                                losses + 1, error.message);
  return error;
}

void InvokedWorkers::run(WorkerId worker, std::stop_token stop) {
  Result<> outcome = play(worker, stop);
  const std::lock_guard lock(mutex_);
  --running_;
  if (!outcome && !failure_ && !stop.stop_requested()) {
    failure_ = outcome.error();
    failed_worker_ = worker;
  }
  changed_.notify_all();
}

// All lives of a worker, one after the other.
Result<> InvokedWorkers::play(WorkerId worker, const std::stop_token& stop) {
  WorkerInvocation invocation{.job = options_.job,
                              .bucket = options_.bucket,
                              .prefix = options_.prefix,
                              .worker = worker,
                              .incarnation = options_.first_incarnation};
  if (const auto proven = options_.programs.find(worker); proven != options_.programs.end())
    invocation.programs = proven->second;
  if (worker == kParameterServer) {
    FUNCPIPE_TRY_VOID(options_.serve(invocation, stop));
    return {};
  }
  const auto worker_seed = static_cast<std::uint64_t>(worker.stage) << 32 | static_cast<std::uint32_t>(worker.replica);
  SystemClock clock;
  int timed_out = 0;  // in a row
  for (int losses = 0;; ++invocation.incarnation) {
    const auto answer = invoke(invocation, stop);
    if (!answer) {
      const Loss& loss = answer.error();
      timed_out = is_time_out(loss.error.message) ? timed_out + 1 : 0;
      if (!loss.passing || losses >= options_.restarts || timed_out > kMostTimeOuts || is_stopping(stop))
        return tl::unexpected(told_how_often(loss, losses));
      {
        const std::lock_guard lock(mutex_);
        accidents_.push_back({worker, ++losses, loss.error});
        changed_.notify_all();
      }
      const Seconds pause = backoff(kRestartPauses, losses, mix(static_cast<std::uint64_t>(losses), {worker_seed}));
      if (!clock.sleep_until(clock.now() + pause, stop) || is_stopping(stop))
        return fail(ErrorCode::cancelled, "stopped", to_string(worker));
      continue;
    }
    timed_out = 0;
    {
      const std::lock_guard lock(mutex_);
      peak_memory_ = std::max(peak_memory_, answer->peak_memory);
    }
    if (answer->status == "done") return {};
    if (answer->status != "continue" || !answer->progressed)
      return fail(ErrorCode::failed,
                  fmt::format("answered '{}' at iteration {}, where it began", answer->status, answer->next_iteration),
                  to_string(worker));
  }
}

bool InvokedWorkers::is_stopping(const std::stop_token& stop) const {
  const std::lock_guard lock(mutex_);
  return stopping_ || stop.stop_requested();
}

tl::expected<WorkerAnswer, InvokedWorkers::Loss> InvokedWorkers::invoke(const WorkerInvocation& invocation,
                                                                        std::stop_token stop) {
  const std::string function = options_.function_of(invocation.worker);
  const std::string place = fmt::format("{} ({})", to_string(invocation.worker), function);
  auto ended = functions_.invoke(function, to_json(invocation).dump(), stop);
  if (!ended) {
    Error error = ended.error();
    if (error.code != ErrorCode::cancelled) {
      error.message = fmt::format("the invocation broke off: {}", error.message);
      error.place = error.place.empty() ? place : fmt::format("{}: {}", place, error.place);
    }
    const bool passing =
        error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout || error.code == ErrorCode::exhausted;
    return tl::unexpected(Loss{std::move(error), passing});
  }
  const auto report = last_report_line(ended->log_tail);
  if (report) {
    const std::lock_guard lock(mutex_);
    reported_.by_function[function].add_invocation(report->memory_mb, options_.vcpus_of(invocation.worker),
                                                   report->billed);
  }
  const auto lost = [&](std::string message, bool passing, std::string hint = {}) {
    return tl::unexpected(
        Loss{{ErrorCode::failed, std::move(message) + log_excerpt(ended->log_tail), place, std::move(hint)}, passing});
  };
  if (ended->function_error) {
    const std::string message = failure_message(*ended);
    return lost(message + memory_of(message, report, options_.memory_is_limited),
                may_pass(message, ended->log_tail, report, options_.memory_is_limited),
                way_out(message, ended->log_tail, report, options_.memory_is_limited));
  }
  const auto json = parse_json(ended->payload, place);
  if (!json) return tl::unexpected(Loss{json.error(), false});
  const auto answer = worker_answer_from_json(*json);
  if (!answer) return lost(answer.error().message, false);
  if (!answer->error.empty()) return lost(answer->error, answer->passing);
  return *answer;
}

}  // namespace funcpipe
