// The emulator's S3 service on loopback. It verifies SigV4, keeps objects on disk, and limits and bills each account.
// Everything runs on the io_context's one thread; `file_threads` read and write large pieces of files.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"
#include "emulator/credential_table.h"

namespace funcpipe {

struct S3ServerOptions {
  std::filesystem::path folder;  // for the objects
  int port = 0;                  // 0: any free port
  std::string region = "us-east-1";
  Bytes cache_capacity = 256 * kMiB;  // for recently used objects, kept in memory
};

class S3Server {
 public:
  // `table` and `bill` must outlive the server and everything that still runs on the io_context. Errors: unavailable if
  // the port is in use or another emulator uses the folder; permission_denied, exhausted.
  static Result<std::unique_ptr<S3Server>> start(boost::asio::io_context& context,
                                                 boost::asio::thread_pool& file_threads, const S3ServerOptions& options,
                                                 CredentialTable& table, Bill& bill);
  ~S3Server();  // stop()

  int port() const;
  // Call it on the io_context's thread, or once that thread has ended.
  void stop();

 private:
  struct Parts;
  explicit S3Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace funcpipe
