#include "emulator/http/connection.h"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>

#include "emulator/file_work.h"

namespace funcpipe {
namespace beast = boost::beast;
namespace http = beast::http;

namespace {

constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);
constexpr Seconds kIdleSeconds = 120;  // between requests
constexpr Seconds kHeadSeconds = 30;   // from a head's first byte to its last
constexpr Seconds kStallSeconds = 60;  // without a byte of a body read or written
// A body that comes too slowly is given up. It may take kBodySeconds, and a second more for each kLeastBytesPerSecond.
constexpr Seconds kBodySeconds = 120;
constexpr double kLeastBytesPerSecond = 16.0 * kKiB;
constexpr std::uint32_t kMostHeader = 64 * kKiB;
constexpr std::size_t kHeadAtOnce = 16 * kKiB;
constexpr std::size_t kReadAtOnce = 1 << 20;
constexpr Bytes kDrain = 256 * kKiB;  // an unread body up to this size is read off, so that the connection can be kept
constexpr Bytes kLinger = kMiB;       // how much of an unwanted body is read before the connection is closed

struct Malformed {  // thrown while a body is read; answered with 400
  std::string what;
};

// Appends a header's value. Control characters become spaces, so that the value stays on one line.
void append_value(std::string& head, std::string_view value) {
  for (const char c : value) head += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

std::string http_date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc));
}

Bytes body_size(const HttpResponse& response) {
  if (const auto* text = std::get_if<std::string>(&response.body)) return static_cast<Bytes>(text->size());
  if (const auto* memory = std::get_if<MemoryRange>(&response.body)) return static_cast<Bytes>(memory->size);
  return std::get<FileRange>(response.body).size;
}

Result<std::vector<std::byte>> read_range(int descriptor, Bytes first, std::size_t size) {
  std::vector<std::byte> bytes(size);
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(first) + done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::corrupt, "a file ended or failed while it was being sent");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

}  // namespace

Seconds steady_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

HttpConnection::HttpConnection(asio::ip::tcp::socket socket, asio::thread_pool& file_threads,
                               const HttpService& service)
    : socket_(std::move(socket)),
      file_threads_(file_threads),
      service_(service),
      buffer_(4 * std::size_t{kMostHeader}) {
  boost::system::error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

void HttpConnection::allow(Seconds seconds) {
  deadline_ = steady_now() + seconds;
}

void HttpConnection::close() {
  idle_since_.reset();
  boost::system::error_code ignored;
  socket_.close(ignored);
}

asio::awaitable<void> HttpConnection::run() {
  try {
    while (co_await serve_one()) {
    }
  } catch (const boost::system::system_error&) {
    // The connection broke or the server stops, so nobody is left to answer.
  }
  close();
}

bool HttpConnection::body_left() const {
  return chunked_ ? !parser_->is_done() : left_ > 0;
}

asio::awaitable<std::optional<HeadFault>> HttpConnection::read_head() {
  parser_.emplace();
  parser_->header_limit(kMostHeader);
  parser_->body_limit(boost::none);
  HeadScanner scanner;
  std::size_t size = 0;
  idle_since_ = steady_now();
  for (bool begun = false;;) {
    // Some clients send a line end after a body that its length does not count.
    while (!begun && buffer_.size() >= 2 && std::memcmp(buffer_.data().data(), "\r\n", 2) == 0) buffer_.consume(2);
    const std::string_view text(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    if (!text.empty() && text != "\r") {
      if (!begun) allow(kHeadSeconds);
      begun = true;
      idle_since_.reset();
      const auto scanned = scanner.scan(text.substr(0, kMostHeader));
      if (!scanned) co_return scanned.error();
      size = *scanned;
      if (size > 0) break;
      if (text.size() >= kMostHeader) co_return HeadFault{431, "the request's head is too long"};
    } else {
      allow(kIdleSeconds);
    }
    buffer_.commit(co_await socket_.async_read_some(buffer_.prepare(kHeadAtOnce), asio::use_awaitable));
  }
  boost::system::error_code error;
  const std::size_t parsed = parser_->put(asio::buffer(buffer_.data(), size), error);
  if (error && error != http::error::need_more)
    co_return HeadFault{error == http::error::header_limit ? 431 : 400, error.message()};
  if (!parser_->is_header_done() || parsed != size) co_return HeadFault{400, "the request's head is malformed"};
  buffer_.consume(size);
  co_return std::nullopt;
}

bool HttpConnection::admitted() {
  if (admitted_ || !service_.admits) return true;
  boost::system::error_code error;
  const auto peer = socket_.remote_endpoint(error);
  admitted_ = !error && service_.admits(peer.port());
  return admitted_;
}

asio::awaitable<bool> HttpConnection::serve_one() {
  chunked_ = false;
  left_ = 0;
  body_read_ = 0;
  body_waited_ = 0;
  if (auto wrong = co_await read_head()) {
    co_await answer_malformed(std::move(*wrong));
    co_return false;
  }
  if (!admitted()) {
    HeadFault refused{403, "this service is not for the process that asks"};
    co_await answer_malformed(std::move(refused));
    co_return false;
  }
  HttpRequest request(*this, service_.budget);
  const auto framing = take_head(*parser_, request);
  if (!framing) {
    co_await answer_malformed(framing.error());
    co_return false;
  }
  chunked_ = framing->chunked;
  left_ = framing->length;
  continue_expected_ = framing->continue_expected;
  const bool head_only = request.method == "HEAD";
  allow_forever();
  std::optional<HttpResponse> response;
  bool keep = parser_->keep_alive();
  try {
    response = co_await service_.handler(request);
  } catch (const Malformed& malformed) {
    response.emplace();
    response->status = 400;
    response->body = malformed.what;
    keep = false;
  } catch (const boost::system::system_error&) {
    throw;
  } catch (const std::exception& exception) {
    response.emplace();
    response->status = 500;
    response->body = fmt::format("internal error: {}", exception.what());
  }
  const bool body_unread = body_left();
  if (body_unread && (continue_expected_ || chunked_ || left_ > kDrain)) keep = false;
  // Some clients fail on a connection if their "Expect: 100-continue" was not answered, even if the request has no
  // body.
  if (continue_expected_ && !body_unread) co_await send_continue();
  co_await write(std::move(*response), head_only, keep);
  if (keep && body_unread) keep = co_await discard_body(kDrain);
  if (!keep) co_await linger();
  co_return keep;
}

asio::awaitable<void> HttpConnection::send_continue() {
  continue_expected_ = false;
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  allow(kStallSeconds);
  co_await asio::async_write(socket_, asio::buffer(kContinue), asio::use_awaitable);
}

asio::awaitable<std::size_t> HttpConnection::read_body_some(std::span<std::byte> into) {
  if (!body_left() || into.empty()) co_return 0;
  if (continue_expected_) co_await send_continue();
  const Seconds begin = steady_now();
  const Seconds credit = kBodySeconds + static_cast<double>(body_read_) / kLeastBytesPerSecond - body_waited_;
  allow(std::min(kStallSeconds, credit));
  std::size_t got = 0;
  if (chunked_) {
    while (got == 0 && !parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = into.data();
      body.size = into.size();
      body.more = true;
      const auto [error, ignored] = co_await http::async_read_some(socket_, buffer_, *parser_, kTuple);
      (void)ignored;
      got = into.size() - body.size;
      if (error && error != http::error::need_buffer) {
        const bool broken = error.category() != make_error_code(http::error::bad_chunk).category();
        if (broken || error == http::error::partial_message || error == http::error::end_of_stream)
          throw boost::system::system_error(asio::error::connection_reset);
        throw Malformed{error.message()};
      }
    }
  } else {
    const auto most = static_cast<std::size_t>(std::min<Bytes>(left_, static_cast<Bytes>(into.size())));
    if (buffer_.size() > 0) {
      got = asio::buffer_copy(asio::buffer(into.data(), most), buffer_.data());
      buffer_.consume(got);
    } else {
      got = co_await socket_.async_read_some(asio::buffer(into.data(), most), asio::use_awaitable);
    }
    left_ -= static_cast<Bytes>(got);
  }
  body_read_ += static_cast<Bytes>(got);
  body_waited_ += steady_now() - begin;
  allow_forever();
  co_return got;
}

asio::awaitable<void> HttpConnection::wait_until_gone() {
  // poll() does not read, so bytes that the client sends ahead stay for the next request.
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, asio::use_awaitable);
  asio::steady_timer timer(co_await asio::this_coro::executor);
  for (;;) {
    pollfd watched{socket_.native_handle(), POLLRDHUP, 0};
    if (::poll(&watched, 1, 0) != 0) co_return;
    timer.expires_after(std::chrono::milliseconds(100));
    co_await timer.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<void> HttpConnection::answer_malformed(HeadFault fault) {
  HttpResponse response;
  response.status = fault.status;
  response.body = std::move(fault.what) + "\n";
  response.headers.emplace_back("Content-Type", "text/plain");
  co_await write(std::move(response), false, false);
  co_await linger();
}

asio::awaitable<void> HttpConnection::write(HttpResponse response, bool head_only, bool keep_alive) {
  const Bytes size = body_size(response);
  const bool bodiless = response.status == 204 || response.status == 304;
  std::string head = fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\nServer: funcpipe\r\n", response.status,
                                 reason_phrase(response.status), http_date());
  if (!bodiless) head += fmt::format("Content-Length: {}\r\n", size);
  if (!keep_alive) head += "Connection: close\r\n";
  for (const auto& [name, value] : response.headers) {
    head += name;
    head += ": ";
    append_value(head, value);
    head += "\r\n";
  }
  head += "\r\n";

  struct Report {  // reports the bytes sent, also when the client goes away half-way
    HttpResponse& response;
    Bytes sent = 0;
    ~Report() {
      if (response.sent) response.sent(sent);
    }
  } report{response};
  allow(kStallSeconds);
  if (head_only || bodiless || size == 0) {
    co_await asio::async_write(socket_, asio::buffer(head), asio::use_awaitable);
  } else if (const auto* text = std::get_if<std::string>(&response.body); text && !response.downlink.limited()) {
    const std::array<asio::const_buffer, 2> both{asio::buffer(head), asio::buffer(*text)};
    co_await asio::async_write(socket_, both, asio::use_awaitable);
    report.sent = size;
  } else {
    co_await asio::async_write(socket_, asio::buffer(head), asio::use_awaitable);
    co_await write_body(response, report.sent);
  }
  allow_forever();
}

asio::awaitable<void> HttpConnection::write_body(HttpResponse& response, Bytes& sent) {
  Pacer pacer(response.downlink);
  const Bytes size = body_size(response);
  const auto* file = std::get_if<FileRange>(&response.body);
  const std::byte* memory = nullptr;
  if (const auto* text = std::get_if<std::string>(&response.body)) {
    memory = reinterpret_cast<const std::byte*>(text->data());
  } else if (!file) {
    const auto& range = std::get<MemoryRange>(response.body);
    memory = range.bytes.get() + range.first;
  }
  std::vector<std::byte> from_file;
  Bytes from_file_first = 0;
  while (sent < size) {
    const auto most = pacer.limited() ? static_cast<Bytes>(pacer.chunk()) : static_cast<Bytes>(kReadAtOnce);
    Bytes now = std::min(size - sent, most);
    const std::byte* bytes = memory + sent;
    if (file) {
      if (sent >= from_file_first + static_cast<Bytes>(from_file.size())) {
        const auto wanted = static_cast<std::size_t>(std::min(size - sent, static_cast<Bytes>(kReadAtOnce)));
        auto read = co_await run_on(file_threads_, [descriptor = *file->descriptor, first = file->first + sent,
                                                    wanted] { return read_range(descriptor, first, wanted); });
        // The head has promised the full length. Only closing the connection tells the client that it will not come.
        if (!read) throw boost::system::system_error(asio::error::connection_aborted);
        from_file = std::move(*read);
        from_file_first = sent;
      }
      const Bytes at = sent - from_file_first;
      now = std::min(now, static_cast<Bytes>(from_file.size()) - at);
      bytes = from_file.data() + at;
    }
    allow_forever();
    co_await pacer.take(now);
    allow(kStallSeconds);
    co_await asio::async_write(socket_, asio::buffer(bytes, static_cast<std::size_t>(now)), asio::use_awaitable);
    sent += now;
  }
}

asio::awaitable<bool> HttpConnection::discard_body(Bytes most) {
  std::vector<std::byte> scratch(64 * kKiB);
  while (body_left() && most > 0) {
    const auto got = co_await read_body_some(scratch);
    most -= static_cast<Bytes>(got);
  }
  co_return !body_left();
}

asio::awaitable<void> HttpConnection::linger() {
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  std::vector<std::byte> scratch(64 * kKiB);
  allow(2);
  for (Bytes read = 0; read < kLinger;) {
    const auto [error, got] = co_await socket_.async_read_some(asio::buffer(scratch), kTuple);
    if (error) break;
    read += static_cast<Bytes>(got);
  }
}

}  // namespace funcpipe
