// A FunctionService that runs functions on threads of this process.
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
  // Requested when an invoke meets the function's timeout and when the service ends; the function must then return
  // soon.
  std::stop_token stop;
  std::string& log;  // what the function prints
};

// The code of all functions of the service; it tells them apart by spec.name and spec.environment. If it returns an
// Error, the invocation reports a function error made of the code's name and the message.
using MemoryFunction = std::function<Result<std::string>(const MemoryCall& call)>;

// Any number of invocations run at the same time. When a function outlives its timeout, invoke answers as Lambda does
// and the function runs on. The destructor waits for all of them.
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
  std::list<std::shared_ptr<Running>> running_;  // shared with the invoke call that waits
};

}  // namespace funcpipe
