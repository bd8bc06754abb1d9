// The embedded cloud: an S3-compatible and a Lambda-compatible service on loopback, whose function instances are
// processes that run a deployment package's `bootstrap` exactly as Lambda's provided.al2023 runtime would.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"
#include "catalog/platform.h"
#include "store/credentials.h"

namespace funcpipe {

struct EmulatorOptions {
  Platform platform;
  // Slows CPU, bandwidth, latency and lifetime together by this factor; REPORT lines and the bill divide it back.
  double dilation = 1;
  std::filesystem::path folder;  // objects, function packages, instance logs; kept, and found again by the next start
  int s3_port = 0;               // 0: any free one
  int lambda_port = 0;
};

class Emulator {
 public:
  // Errors: unavailable (a port is in use: which, by what hint), permission_denied or exhausted (the folder).
  static Result<std::unique_ptr<Emulator>> start(EmulatorOptions options);
  virtual ~Emulator() = default;  // stops: kills every instance, closes every connection

  virtual Endpoint s3() const = 0;
  virtual Endpoint lambda() const = 0;
  virtual Credentials credentials() const = 0;  // made at start; every instance gets its own
  virtual Bill bill() const = 0;
  // Kills every instance, idle or not; an invocation under way fails. No process of theirs is left when this returns.
  virtual void end_instances() = 0;
  virtual std::string isolation() const = 0;  // which mechanism enforces memory and vCPU here, for people
};

}  // namespace funcpipe
