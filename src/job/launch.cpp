#include "job/launch.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/files.h"
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

bool was_killed(const std::string& message) {
  return message.find("signal: killed") != std::string::npos;
}

// Returns a hint on what to do if the platform ended a function. `report` is its last REPORT line.
std::string way_out(const std::string& message, std::string_view log, const std::optional<ReportLine>& report,
                    bool memory_is_limited) {
  if (log.find("Runtime.OutOfMemory") != std::string_view::npos)
    return fmt::format("it reached the limit of its memory: {}", kMoreMemory);
  if (was_killed(message)) {
    if (report && memory_is_limited && report->max_memory_mb >= kNearLimit * report->memory_mb)
      return fmt::format("it was at the limit of its memory: {}", kMoreMemory);
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

Fleet::Fleet(FunctionService& functions, LaunchOptions options) : functions_(functions), options_(std::move(options)) {
  running_ = static_cast<int>(options_.workers.size());
  for (const WorkerId worker : options_.workers)
    threads_.emplace_back([this, worker](std::stop_token stop) { run(worker, stop); });
}

Fleet::~Fleet() {
  stop();
}

bool Fleet::wait(Seconds limit, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, stop, std::chrono::duration<double>(limit),
                    [&] { return running_ == 0 || failure_.has_value(); });
  return running_ == 0 && !failure_;
}

bool Fleet::done() const {
  const std::lock_guard lock(mutex_);
  return running_ == 0 && !failure_;
}

std::optional<Error> Fleet::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::optional<WorkerId> Fleet::failed_worker() const {
  const std::lock_guard lock(mutex_);
  return failed_worker_;
}

int Fleet::stop(const std::string& reason) {
  if (threads_.empty()) return 0;
  int running = 0;
  {
    std::unique_lock lock(mutex_);
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

Bytes Fleet::peak_memory() const {
  const std::lock_guard lock(mutex_);
  return peak_memory_;
}

Bill Fleet::reported_usage() const {
  const std::lock_guard lock(mutex_);
  return reported_;
}

void Fleet::run(WorkerId worker, std::stop_token stop) {
  WorkerInvocation invocation{options_.job, options_.bucket, options_.prefix, worker, 0, {}};
  if (const auto proven = options_.programs.find(worker); proven != options_.programs.end())
    invocation.programs = proven->second;
  Result<> outcome;
  while (true) {
    const bool serves = worker == kParameterServer;
    auto answer = serves ? options_.serve(invocation, stop) : invoke(invocation, stop);
    if (!answer) {
      outcome = tl::unexpected(answer.error());
      break;
    }
    {
      const std::lock_guard lock(mutex_);
      if (!serves) peak_memory_ = std::max(peak_memory_, answer->peak_memory);
    }
    if (answer->status == "done") break;
    if (answer->status != "continue" || answer->next_iteration <= invocation.first_iteration) {
      outcome = fail(ErrorCode::failed,
                     answer->error.empty()
                         ? fmt::format("answered '{}' at iteration {}", answer->status, answer->next_iteration)
                         : answer->error,
                     to_string(worker));
      break;
    }
    invocation.first_iteration = answer->next_iteration;
  }
  const std::lock_guard lock(mutex_);
  --running_;
  if (!outcome && !failure_ && !stop.stop_requested()) {
    failure_ = outcome.error();
    failed_worker_ = worker;
  }
  changed_.notify_all();
}

Result<WorkerAnswer> Fleet::invoke(const WorkerInvocation& invocation, std::stop_token stop) {
  const std::string function = options_.function_of(invocation.worker);
  const std::string place = fmt::format("{} ({})", to_string(invocation.worker), function);
  auto ended = functions_.invoke(function, to_json(invocation).dump(), stop);
  if (!ended) {
    Error error = ended.error();
    if (error.code != ErrorCode::cancelled) {
      error.message = fmt::format("the invocation broke off: {}", error.message);
      error.place = error.place.empty() ? place : fmt::format("{}: {}", place, error.place);
    }
    return tl::unexpected(std::move(error));
  }
  const auto report = last_report_line(ended->log_tail);
  if (report) {
    const std::lock_guard lock(mutex_);
    reported_.by_function[function].add_invocation(report->memory_mb, options_.vcpus_of(invocation.worker),
                                                   report->billed);
  }
  if (ended->function_error) {
    const std::string message = failure_message(*ended);
    return fail(ErrorCode::failed,
                message + memory_of(message, report, options_.memory_is_limited) + log_excerpt(ended->log_tail), place,
                way_out(message, ended->log_tail, report, options_.memory_is_limited));
  }
  auto json = parse_json(ended->payload, place);
  if (!json) return tl::unexpected(json.error());
  auto answer = worker_answer_from_json(*json);
  if (!answer) return fail(ErrorCode::failed, answer.error().message + log_excerpt(ended->log_tail), place);
  if (!answer->error.empty()) return fail(ErrorCode::failed, answer->error + log_excerpt(ended->log_tail), place);
  return *answer;
}

}  // namespace funcpipe
