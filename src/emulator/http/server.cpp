#include "emulator/http/server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <list>

#include "base/process_limits.h"
#include "emulator/http/connection.h"

namespace funcpipe {
using asio::ip::tcp;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

// Holds a file descriptor in reserve. It is given up when no other is left, so that a client can be told so.
class SpareDescriptor {
 public:
  SpareDescriptor() { take(); }
  ~SpareDescriptor() { give_up(); }
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;
  void take() {
    if (descriptor_ < 0) descriptor_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  void give_up() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

 private:
  int descriptor_ = -1;
};

}  // namespace

struct HttpServer::State {
  State(asio::io_context& context, asio::thread_pool& threads, HttpService served)
      : acceptor(context), sweeper(context), file_threads(threads), service(std::move(served)) {}

  tcp::acceptor acceptor;
  asio::steady_timer sweeper;
  asio::thread_pool& file_threads;
  HttpService service;
  std::list<HttpConnection*> connections;  // the connections being served
  SpareDescriptor spare;
  bool stopped = false;

  static asio::awaitable<void> serve(std::shared_ptr<State> state, std::shared_ptr<HttpConnection> connection) {
    struct Registration {
      State& state;
      std::list<HttpConnection*>::iterator at;
      ~Registration() { state.connections.erase(at); }
    };
    state->connections.push_front(connection.get());
    const Registration registration{*state, state->connections.begin()};
    co_await connection->run();
  }

  static asio::awaitable<void> accept(std::shared_ptr<State> state) {
    asio::steady_timer pause(state->acceptor.get_executor());
    while (!state->stopped) {
      auto [error, socket] = co_await state->acceptor.async_accept(kTuple);
      if (state->stopped || error == asio::error::operation_aborted) co_return;
      if (error == asio::error::no_descriptors) {
        if (!state->close_idlest()) co_await state->turn_away(pause);
        continue;
      }
      if (error) {  // the connection broke already, or memory is short
        pause.expires_after(std::chrono::milliseconds(50));
        co_await pause.async_wait(kTuple);
        continue;
      }
      // Shared by its coroutine and by the handler of its cancellation slot.
      auto connection = std::make_shared<HttpConnection>(std::move(socket), state->file_threads, state->service);
      auto done =
          asio::bind_cancellation_slot(connection->cancellation().slot(), [connection](const std::exception_ptr&) {});
      asio::co_spawn(state->acceptor.get_executor(), serve(state, connection), std::move(done));
    }
  }

  // Makes room for a new connection: closes the one that has waited longest for a request.
  bool close_idlest() {
    HttpConnection* idlest = nullptr;
    for (HttpConnection* connection : connections)
      if (connection->idle_since() && (!idlest || *connection->idle_since() < *idlest->idle_since()))
        idlest = connection;
    if (idlest) idlest->close();
    return idlest != nullptr;
  }

  // No file can be opened. Accepts one client at a time and tells it so.
  asio::awaitable<void> turn_away(asio::steady_timer& pause) {
    spare.give_up();
    auto [error, socket] = co_await acceptor.async_accept(kTuple);
    if (!error) {
      const std::string text =
          fmt::format("{} has no file descriptor left: this process may open {} files (ulimit -n)\n", service.name,
                      open_file_limit());
      const std::string answer = fmt::format(
          "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nRetry-After: "
          "1\r\nConnection: close\r\n\r\n{}",
          text.size(), text);
      boost::system::error_code ignored;
      socket.non_blocking(true, ignored);
      socket.write_some(asio::buffer(answer), ignored);
      socket.shutdown(tcp::socket::shutdown_send, ignored);
      pause.expires_after(std::chrono::milliseconds(10));  // closing at once could make the client lose the answer
      co_await pause.async_wait(kTuple);
      std::array<char, 4096> unread;
      while (!ignored && socket.read_some(asio::buffer(unread), ignored) > 0) {
      }
      socket.close(ignored);
    }
    spare.take();
  }

  // Closes connections whose other side has missed its deadline.
  static asio::awaitable<void> sweep(std::shared_ptr<State> state) {
    while (!state->stopped) {
      state->sweeper.expires_after(std::chrono::seconds(1));
      co_await state->sweeper.async_wait(kTuple);
      const Seconds now = steady_now();
      for (HttpConnection* connection : state->connections)
        if (connection->deadline() < now) connection->close();
    }
  }
};

HttpServer::HttpServer(std::shared_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() {
  stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& context, asio::thread_pool& file_threads,
                                                       int port, HttpService serving) {
  const std::string service = serving.name;
  const auto place = fmt::format("127.0.0.1:{}", port);
  if (port < 0 || port > 65535)
    return fail(ErrorCode::invalid_input, fmt::format("{} cannot listen on port {}", service, port), place,
                "give a port from 1 to 65535, or 0 for any free one");
  auto state = std::make_shared<State>(context, file_threads, std::move(serving));
  boost::system::error_code error;
  const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<unsigned short>(port));
  state->acceptor.open(endpoint.protocol(), error);
  if (!error) state->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) state->acceptor.bind(endpoint, error);
  if (!error) state->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error == asio::error::address_in_use)
    return fail(ErrorCode::unavailable, fmt::format("port {} for {} is in use", port, service), place,
                "stop the program that listens there, or give another port (0 takes any free one)");
  if (error == asio::error::access_denied)
    return fail(ErrorCode::permission_denied, fmt::format("{} may not listen on port {}", service, port), place,
                "give a port above 1023, or 0 for any free one");
  if (error) return fail(ErrorCode::unavailable, fmt::format("{} cannot listen: {}", service, error.message()), place);
  asio::co_spawn(context, State::accept(state), asio::detached);
  asio::co_spawn(context, State::sweep(state), asio::detached);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

int HttpServer::port() const {
  boost::system::error_code error;
  return state_->acceptor.local_endpoint(error).port();
}

void HttpServer::stop() {
  if (state_->stopped) return;
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->sweeper.cancel();
  // Cancelling may finish a connection at once and remove it from the list, hence the copy.
  const auto connections = state_->connections;
  for (HttpConnection* connection : connections) {
    if (std::find(state_->connections.begin(), state_->connections.end(), connection) == state_->connections.end())
      continue;
    connection->cancellation().emit(asio::cancellation_type::terminal);
    connection->close();
  }
}

}  // namespace funcpipe
