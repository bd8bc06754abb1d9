#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"
#include "catalog/platform.h"
#include "config/job_config.h"
#include "emulator/emulator.h"
#include "functions/function_service.h"
#include "store/s3_store.h"

namespace funcpipe {

// How long a client waits for the answer of an invocation, in seconds of this machine: the function's whole lifetime,
// plus time to start it.
Seconds invocation_limit(const Platform& platform, double dilation);

// The cloud that a job runs on. It is either an embedded one, which lives as long as this object, or the one at the
// given endpoints, with the credentials of the environment. Files of others in an embedded cloud's folder are left
// alone.
class Cloud {
 public:
  ~Cloud();
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;

  // Creates the bucket if it is missing. Errors: those of the emulator's start and of missing credentials; unavailable,
  // with the address, if an endpoint does not answer; cancelled.
  static Result<std::unique_ptr<Cloud>> open(const JobConfig::PlatformChoice& choice, const Platform& platform,
                                             const std::filesystem::path& folder, std::stop_token stop = {});

  S3Store& store() { return *store_; }
  FunctionService& functions() { return *functions_; }
  // Kills the running functions of an embedded cloud. In another cloud functions end by themselves, at the latest with
  // their lifetime.
  void end_functions();
  bool embedded() const { return emulator_ != nullptr; }
  std::string description() const;  // for people: where it is, and what enforces its limits

  // The environment variables a function needs to reach the store, in addition to those of the platform. They also
  // restrict it to the keys under `prefix`.
  std::map<std::string, std::string> function_environment(const std::string& prefix) const;

  // The environment variables with which a program on this machine reaches an embedded cloud's store as this client
  // does, that is, without limits.
  std::map<std::string, std::string> client_environment() const;

  // For an embedded cloud: all that was used. Otherwise only the requests of this client: the rest is in the REPORT
  // lines of the functions (job/report_line.h).
  Bill bill() const;

 private:
  Cloud() = default;
  JobConfig::PlatformChoice choice_;
  std::filesystem::path objects_;  // of the embedded cloud; empty: it has not started
  std::unique_ptr<Emulator> emulator_;
  std::unique_ptr<S3Store> store_;
  std::unique_ptr<FunctionService> functions_;
};

}  // namespace funcpipe
