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
// and time to start it.
Seconds invocation_limit(const Platform& platform, double dilation);

// The cloud a job runs on: an embedded one that lives as long as this object, or the one at the given endpoints with
// the credentials of the environment. What others keep in the folder of an embedded cloud is theirs and stays.
class Cloud {
 public:
  ~Cloud();
  Cloud(const Cloud&) = delete;
  Cloud& operator=(const Cloud&) = delete;

  // Creates the bucket if it is missing. Errors: those of the emulator's start, of missing credentials, of an endpoint
  // that does not answer (unavailable, with the address); cancelled.
  static Result<std::unique_ptr<Cloud>> open(const JobConfig::PlatformChoice& choice, const Platform& platform,
                                             const std::filesystem::path& folder, std::stop_token stop = {});

  S3Store& store() { return *store_; }
  FunctionService& functions() { return *functions_; }
  // Kills the functions that run, if the cloud is embedded; elsewhere they end by themselves, at the latest with their
  // lifetime.
  void end_functions();
  bool embedded() const { return emulator_ != nullptr; }
  std::string description() const;  // for people: where it is, and what enforces its limits

  // What functions need in their environment to reach the store, beyond what the platform gives them, and which keys of
  // it are theirs: those under `prefix`.
  std::map<std::string, std::string> function_environment(const std::string& prefix) const;

  // What a program on this machine needs in its environment to reach an embedded cloud's store as this client does:
  // without limits.
  std::map<std::string, std::string> client_environment() const;

  // Embedded: everything that was used. Else only what this client requested: the rest is in the functions' REPORT
  // lines (job/report_line.h).
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
