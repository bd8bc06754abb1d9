// The embedded cloud: an S3-compatible and a Lambda-compatible service on loopback. A function instance is a process
// that runs a deployment package's `bootstrap`, as Lambda's provided.al2023 runtime does.
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
  // Makes CPU, bandwidth, latency and lifetime slower by this factor, all together. REPORT lines and the bill divide
  // measured times by it.
  double dilation = 1;
  // For objects, function packages and instance logs; they are kept, and the next start finds them.
  std::filesystem::path folder;
  int s3_port = 0;  // 0: any free port
  int lambda_port = 0;
};

class Emulator {
 public:
  // Errors: unavailable if a port is in use (the hint names it), permission_denied or exhausted for the folder.
  static Result<std::unique_ptr<Emulator>> start(EmulatorOptions options);
  virtual ~Emulator() = default;  // kills every instance and closes every connection

  virtual Endpoint s3() const = 0;
  virtual Endpoint lambda() const = 0;
  virtual Credentials credentials() const = 0;  // made at start; every instance gets its own
  virtual Bill bill() const = 0;
  // Kills every instance, idle or not. An invocation under way fails. When this returns, none of their processes is
  // left.
  virtual void end_instances() = 0;
  virtual std::string isolation() const = 0;  // names, for people, the mechanism that enforces memory and vCPU
};

}  // namespace funcpipe
