// A FunctionService whose functions are calls on threads of this process.
#pragma once

#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "functions/function_service.h"

namespace funcpipe {

// One invocation, as the function sees it.
struct MemoryCall {
  const FunctionSpec& spec;
  const std::string& payload;
  std::stop_token stop;  // requested at the function's timeout and when the service ends: return soon
  std::string& log;      // what the function prints
};

// The code of every function of the service; spec.name and spec.environment tell them apart. An Error is a function
// that failed: its code's name and its message become the function error.
using MemoryFunction = std::function<Result<std::string>(const MemoryCall& call)>;

// Invocations run side by side, any number of them. One that outlives its function's timeout is reported as Lambda does
// and left to end; the destructor waits for all.
class MemoryService final : public FunctionService {
 public:
  explicit MemoryService(MemoryFunction function);
  ~MemoryService() override;

  Result<> create(const FunctionSpec& spec, std::stop_token stop = {}) override;
  Result<bool> exists(const std::string& name, std::stop_token stop = {}) override;
  Result<> remove(const std::string& name, std::stop_token stop = {}) override;  // running invocations go on
  Result<Invocation> invoke(const std::string& name, const std::string& payload, std::stop_token stop = {}) override;
  Result<> invoke_async(const std::string& name, const std::string& payload) override;

 private:
  struct Running;
  Result<std::shared_ptr<Running>> start(const std::string& name, const std::string& payload);

  const MemoryFunction function_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const FunctionSpec>> specs_;
  std::list<std::shared_ptr<Running>> running_;  // shared with the invoke that waits
};

}  // namespace funcpipe
