// One client's connection: reads requests, calls the handler, writes answers. Inside of http_server.h only.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>
#include <memory>
#include <optional>

#include "emulator/http_server.h"

namespace funcpipe {

class HttpConnection {
 public:
  HttpConnection(asio::ip::tcp::socket socket, asio::thread_pool& file_threads, HttpServer::Handler handler);

  // Serves requests until either side closes. Nothing is thrown but what cancellation throws.
  asio::awaitable<void> run();

  asio::cancellation_signal& cancellation() { return cancellation_; }
  void close();
  // When the other side has had its time for what it is to send or take; infinity while a handler works.
  Seconds deadline() const { return deadline_; }

  asio::awaitable<std::size_t> read_body_some(std::span<std::byte> into);
  asio::awaitable<void> wait_until_gone();

 private:
  using Parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

  asio::awaitable<bool> serve_one();                              // false: the connection is finished
  std::optional<std::string> take_request(HttpRequest& request);  // what is wrong with it
  asio::awaitable<void> answer_malformed(int status, std::string what);
  asio::awaitable<void> write(HttpResponse response, bool head_only, bool keep_alive);
  asio::awaitable<void> write_body(HttpResponse& response, Bytes& sent);
  asio::awaitable<bool> discard_body(Bytes most);  // true: all of it
  asio::awaitable<void> linger();                  // lets the client read the answer before the connection resets
  bool body_left() const;
  void allow(Seconds seconds);
  void allow_forever() { deadline_ = std::numeric_limits<Seconds>::infinity(); }

  asio::ip::tcp::socket socket_;
  asio::thread_pool& file_threads_;
  HttpServer::Handler handler_;
  asio::cancellation_signal cancellation_;
  boost::beast::flat_buffer buffer_;
  std::optional<Parser> parser_;  // of the request being served
  bool chunked_ = false;
  Bytes left_ = 0;  // of a body with a length
  bool continue_expected_ = false;
  Seconds deadline_ = std::numeric_limits<Seconds>::infinity();
};

// Of steady_clock; deadlines are compared with it.
Seconds steady_now();

}  // namespace funcpipe
