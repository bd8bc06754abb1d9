// The emulator's S3: path-style requests on loopback, SigV4 checked, objects on disk, shaped and billed per account.
// Everything runs on the io_context's one thread; large reads and writes of files on `file_threads`.
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
  std::filesystem::path folder;  // of the objects
  int port = 0;                  // 0: any free one
  std::string region = "us-east-1";
  Bytes cache_capacity = 256 * kMiB;  // recently used objects kept in memory
};

class S3Server {
 public:
  // `table` and `bill` must outlive the server and everything still unwinding on the io_context.
  // Errors: unavailable (the port, or another emulator has the folder), permission_denied, exhausted.
  static Result<std::unique_ptr<S3Server>> start(boost::asio::io_context& context,
                                                 boost::asio::thread_pool& file_threads, const S3ServerOptions& options,
                                                 CredentialTable& table, Bill& bill);
  ~S3Server();  // stop()

  int port() const;
  // To be called on the io_context's thread, or once it has ended.
  void stop();

 private:
  struct Parts;
  explicit S3Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace funcpipe
