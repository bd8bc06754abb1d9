// The emulator's Lambda: control API, instances, runtime API, bill. Everything runs on the io_context's one thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>

#include "base/error.h"
#include "catalog/bill.h"
#include "emulator/credential_table.h"
#include "emulator/lambda/options.h"

namespace funcpipe {

class LambdaServer {
 public:
  // `table` and `bill` must outlive the server; instances enter their credentials in the one and their use in the
  // other. Errors: unavailable (the port), invalid_input (FUNCPIPE_ISOLATION), permission_denied, exhausted, corrupt
  // (the folder).
  static Result<std::unique_ptr<LambdaServer>> start(boost::asio::io_context& context,
                                                     boost::asio::thread_pool& file_threads, LambdaOptions options,
                                                     CredentialTable& table, Bill& bill);
  ~LambdaServer();  // stop(), and removes the folders the instances wrote to

  int port() const;
  std::string isolation() const;
  // Kills every instance; returns when no process of theirs is left. On the io_context's thread.
  void end_instances();
  // Refuses requests and kills every instance; returns when no process of theirs is left. What was waiting unwinds as
  // the io_context runs on. To be called on the io_context's thread, or once that thread has ended.
  void stop();

 private:
  struct State;
  explicit LambdaServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
