// The emulator's Lambda service: control API, instances, Runtime API and bill. Everything runs on the io_context's one
// thread.
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
  // `table` and `bill` must outlive the server: instances add their credentials to the one and their use to the other.
  // Errors: unavailable for the port, invalid_input for FUNCPIPE_ISOLATION, and permission_denied, exhausted or corrupt
  // for the folder.
  static Result<std::unique_ptr<LambdaServer>> start(boost::asio::io_context& context,
                                                     boost::asio::thread_pool& file_threads, LambdaOptions options,
                                                     CredentialTable& table, Bill& bill);
  ~LambdaServer();  // calls stop() and removes the folders the instances wrote to

  int port() const;
  std::string isolation() const;
  // Kills every instance. When it returns, none of their processes is left. Call it on the io_context's thread.
  void end_instances();
  // Refuses requests and kills every instance. When it returns, none of their processes is left. Coroutines that waited
  // end as the io_context runs on. Call it on the io_context's thread, or once that thread has ended.
  void stop();

 private:
  struct State;
  explicit LambdaServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace funcpipe
