#include "emulator/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <list>

#include "emulator/http_connection.h"

namespace funcpipe {
using asio::ip::tcp;

namespace {
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
}

struct HttpServer::State {
  State(asio::io_context& context, asio::thread_pool& threads, Handler on_request)
      : acceptor(context), sweeper(context), file_threads(threads), handler(std::move(on_request)) {}

  tcp::acceptor acceptor;
  asio::steady_timer sweeper;
  asio::thread_pool& file_threads;
  Handler handler;
  std::list<HttpConnection*> connections;  // those running
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
      if (error) {  // out of descriptors: some will be closed
        pause.expires_after(std::chrono::milliseconds(50));
        co_await pause.async_wait(kTuple);
        continue;
      }
      // Shared by its coroutine and by the handler of its cancellation slot.
      auto connection = std::make_shared<HttpConnection>(std::move(socket), state->file_threads, state->handler);
      auto done =
          asio::bind_cancellation_slot(connection->cancellation().slot(), [connection](const std::exception_ptr&) {});
      asio::co_spawn(state->acceptor.get_executor(), serve(state, connection), std::move(done));
    }
  }

  // Closes connections whose other side has not done its part in time.
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
                                                       std::string service, int port, Handler handler) {
  const auto place = fmt::format("127.0.0.1:{}", port);
  if (port < 0 || port > 65535)
    return fail(ErrorCode::invalid_input, fmt::format("{} cannot listen on port {}", service, port), place,
                "give a port from 1 to 65535, or 0 for any free one");
  auto state = std::make_shared<State>(context, file_threads, std::move(handler));
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
  // Cancelling may finish a connection at once, which takes it from the list.
  const auto connections = state_->connections;
  for (HttpConnection* connection : connections) {
    if (std::find(state_->connections.begin(), state_->connections.end(), connection) == state_->connections.end())
      continue;
    connection->cancellation().emit(asio::cancellation_type::terminal);
    connection->close();
  }
}

asio::awaitable<std::size_t> HttpRequest::read_some(std::span<std::byte> into) {
  const auto got = co_await connection_->read_body_some(into.first(std::min(into.size(), uplink_.chunk())));
  if (uplink_.limited()) co_await uplink_.take(static_cast<Bytes>(got));
  co_return got;
}

asio::awaitable<Result<std::string>> HttpRequest::read_body(Bytes limit) {
  const auto too_long = [&] {
    return fail(ErrorCode::exhausted, fmt::format("the request's body is longer than the {} bytes allowed", limit));
  };
  if (content_length && *content_length > limit) co_return too_long();
  std::string body;
  if (content_length) {
    body.resize(static_cast<std::size_t>(*content_length));
    for (std::size_t read = 0; read < body.size();)
      read += co_await read_some(std::as_writable_bytes(std::span(body)).subspan(read));
    co_return body;
  }
  std::vector<std::byte> chunk(64 * kKiB);
  for (;;) {
    const auto got = co_await read_some(chunk);
    if (got == 0) co_return body;
    body.append(reinterpret_cast<const char*>(chunk.data()), got);
    if (static_cast<Bytes>(body.size()) > limit) co_return too_long();
  }
}

asio::awaitable<void> HttpRequest::client_gone() {
  co_await connection_->wait_until_gone();
}

}  // namespace funcpipe
