#include "functions/memory_service.h"

#include <chrono>
#include <nlohmann/json.hpp>

namespace funcpipe {

struct MemoryService::Running {
  std::shared_ptr<const FunctionSpec> spec;
  std::string payload;
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  Invocation outcome;
  std::jthread thread;
};

MemoryService::MemoryService(MemoryFunction function) : function_(std::move(function)) {}

MemoryService::~MemoryService() {
  // The threads are joined without the lock, because a function that still runs may call this service. It is told
  // not_found.
  std::list<std::shared_ptr<Running>> last;
  {
    const std::lock_guard lock(mutex_);
    specs_.clear();
    last.swap(running_);
  }
  for (const auto& one : last) one->thread.request_stop();
  for (const auto& one : last) one->thread.join();
}

Result<> MemoryService::create(const FunctionSpec& spec, std::stop_token) {
  const std::lock_guard lock(mutex_);
  const bool added = specs_.try_emplace(spec.name, std::make_shared<FunctionSpec>(spec)).second;
  if (!added) return fail(ErrorCode::already_exists, "a function of that name exists", "function " + spec.name);
  return {};
}

Result<bool> MemoryService::exists(const std::string& name, std::stop_token) {
  const std::lock_guard lock(mutex_);
  return specs_.count(name) > 0;
}

Result<> MemoryService::remove(const std::string& name, std::stop_token) {
  const std::lock_guard lock(mutex_);
  if (specs_.erase(name) == 0) return fail(ErrorCode::not_found, "no such function", "function " + name);
  return {};
}

Result<std::shared_ptr<MemoryService::Running>> MemoryService::start(const std::string& name,
                                                                     const std::string& payload) {
  const std::lock_guard lock(mutex_);
  const auto found = specs_.find(name);
  if (found == specs_.end()) return fail(ErrorCode::not_found, "no such function", "function " + name);
  std::erase_if(running_, [](const std::shared_ptr<Running>& one) {
    const std::lock_guard its_lock(one->mutex);
    if (one->done) one->thread.join();  // this is quick: the thread has only to return
    return one->done;
  });
  auto one = std::make_shared<Running>();
  one->spec = found->second;
  one->payload = payload;
  // The raw pointer stays valid until the thread is joined, because running_ holds the object until then.
  one->thread = std::jthread([this, running = one.get()](const std::stop_token& stop) {
    Invocation outcome;
    const auto result = function_({*running->spec, running->payload, stop, outcome.log_tail});
    if (result) {
      outcome.payload = *result;
    } else {
      const std::string type(to_string(result.error().code));
      outcome.function_error = type + ": " + result.error().message;
      outcome.payload = nlohmann::json{{"errorMessage", result.error().message}, {"errorType", type}}.dump();
    }
    const std::lock_guard its_lock(running->mutex);
    running->outcome = std::move(outcome);
    running->done = true;
    running->changed.notify_all();
  });
  running_.push_back(one);
  return one;
}

Result<Invocation> MemoryService::invoke(const std::string& name, const std::string& payload, std::stop_token stop) {
  FUNCPIPE_TRY(one, start(name, payload));
  std::unique_lock lock(one->mutex);
  const bool done =
      one->changed.wait_for(lock, stop, std::chrono::duration<double>(one->spec->timeout), [&] { return one->done; });
  if (done) return one->outcome;
  if (stop.stop_requested()) return fail(ErrorCode::cancelled, "stopped while the function runs", "function " + name);
  one->thread.request_stop();
  const std::string message = fmt::format("Task timed out after {:.2f} seconds", one->spec->timeout);
  return Invocation{nlohmann::json{{"errorMessage", message}}.dump(), message, {}};
}

Result<> MemoryService::invoke_async(const std::string& name, const std::string& payload) {
  FUNCPIPE_TRY(one, start(name, payload));
  return {};
}

}  // namespace funcpipe
