// An S3 server of its own on a thread, with accounts the test chooses.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "catalog/bill.h"
#include "emulator/credential_table.h"
#include "emulator/token_bucket.h"
#include "store/s3_store.h"

namespace funcpipe {

// A folder that goes away with the test.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class S3Harness {
 public:
  // `cache_capacity` 0: every answer comes from the disk.
  explicit S3Harness(std::filesystem::path folder, Bytes cache_capacity = 256 * kMiB);
  ~S3Harness();

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  Endpoint endpoint() const { return Endpoint{url()}; }
  const Credentials& client() const { return client_; }
  // Credentials of an instance with these limits, dilation 1. `store`: what it shares with others.
  Credentials add_instance(const std::string& label, BytesPerSecond rate, Latency latency, Burst burst = {},
                           const StoreLinks& store = {});
  // Those of an instance without limits that may touch these keys alone.
  Credentials add_scoped_instance(const StoreScope& scope);
  void remove_instance(const Credentials& credentials);
  Bill bill();

  // A store in the bucket, which is created if it is not there.
  std::unique_ptr<S3Store> store(const std::string& bucket = "bucket");
  std::unique_ptr<S3Store> store_of(const Credentials& credentials, const std::string& bucket = "bucket");
  // Runs `script` (a file of tests/emulator/s3) with Debian's Python, this server's address and credentials in the
  // environment; its output goes to the test's. Returns its exit code.
  int run_python(const std::string& script, const std::filesystem::path& scratch);

 private:
  struct Running;
  std::unique_ptr<Running> running_;
  int port_ = 0;
  Credentials client_;
};

}  // namespace funcpipe
