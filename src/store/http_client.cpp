#include "store/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstring>
#include <ctime>
#include <utility>

#include "base/check.h"
#include "base/clock.h"

namespace funcpipe {
namespace {

constexpr std::size_t kLongestOwnedBody = 256 * kMiB;  // for a body without a destination

// The state of one request, which libcurl's callbacks work on.
struct Transfer {
  const HttpCall& request;
  HttpAnswer response;
  std::array<char, CURL_ERROR_SIZE> curl_message{};

  std::size_t piece = 0;  // piece and piece_offset: where the upload is in the body
  std::size_t piece_offset = 0;

  Bytes announced = -1;  // Content-Length of the answer; -1 without one
  bool headers_complete = false;
  bool into_destination = false;
  std::optional<Error> rejected;

  curl_off_t moved = 0;  // bytes moved in either direction
  curl_off_t uploaded = 0;
};

// A turn of the waiting loop that takes longer than its wait plus kSlowTurn means that this process stood still.
constexpr Seconds kSlowTurn = 2;
constexpr Seconds kLongestTurn = 1;

// Measures how long a request has gone on and been silent, counting only time during which this process ran.
class Patience {
 public:
  explicit Patience(const HttpLimits& limits) : limits_(limits), turn_(clock_.now()) {}

  // Called at the end of a turn that was to wait at most `waited`.
  void count(Seconds waited, curl_off_t moved, bool connected) {
    const Seconds now = clock_.now();
    const Seconds took = now - std::exchange(turn_, now);
    const Seconds counted = std::min(took, waited + kSlowTurn);
    not_running_ += took - counted;
    overall_ += counted;
    silent_ = moved != moved_ || !connected ? 0 : silent_ + counted;
    moved_ = moved;
  }
  // Says which limit has passed; empty if none has.
  std::string over() const {
    if (limits_.stall > 0 && silent_ >= limits_.stall)
      return fmt::format("not a byte moved for {}", format_seconds(limits_.stall));
    if (limits_.overall > 0 && overall_ >= limits_.overall)
      return fmt::format("not done within {}", format_seconds(limits_.overall));
    return {};
  }
  // The seconds until the nearest limit, at most kLongestTurn.
  Seconds next_turn() const {
    Seconds left = kLongestTurn;
    if (limits_.stall > 0) left = std::min(left, limits_.stall - silent_);
    if (limits_.overall > 0) left = std::min(left, limits_.overall - overall_);
    return std::max(left, 0.001);
  }
  Seconds not_running() const { return not_running_; }

 private:
  const HttpLimits limits_;
  SystemClock clock_;
  Seconds turn_;
  Seconds overall_ = 0, silent_ = 0, not_running_ = 0;
  curl_off_t moved_ = 0;
};

std::size_t on_upload(char* buffer, std::size_t size, std::size_t count, void* state) {
  auto& transfer = *static_cast<Transfer*>(state);
  const auto body = transfer.request.body;
  std::size_t room = size * count;
  std::size_t written = 0;
  while (room > 0 && transfer.piece < body.size()) {
    const ConstBytes rest = body[transfer.piece].subspan(transfer.piece_offset);
    const std::size_t step = std::min(room, rest.size());
    if (step > 0) std::memcpy(buffer + written, rest.data(), step);
    written += step;
    room -= step;
    transfer.piece_offset += step;
    if (transfer.piece_offset == body[transfer.piece].size()) {
      ++transfer.piece;
      transfer.piece_offset = 0;
    }
  }
  return written;
}

// libcurl rewinds to the start when it repeats a request on another connection. It asks for no other position.
int on_rewind(void* state, curl_off_t offset, int origin) {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  auto& transfer = *static_cast<Transfer*>(state);
  transfer.piece = 0;
  transfer.piece_offset = 0;
  return CURL_SEEKFUNC_OK;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Decides where the body goes once the headers are complete. Returns false to abandon the transfer.
bool headers_done(Transfer& transfer) {
  const int status = transfer.response.status;
  transfer.headers_complete = true;
  transfer.into_destination =
      transfer.request.destination && (status == 200 || status == 206) && transfer.announced > 0;
  if (transfer.request.destination && (status == 200 || status == 206) && transfer.announced < 0) {
    transfer.rejected = Error{ErrorCode::corrupt, "the answer has no Content-Length", {}, {}};
    return false;
  }
  if (!transfer.into_destination) return true;
  auto destination = transfer.request.destination(transfer.announced);
  if (!destination) {
    transfer.rejected = std::move(destination).error();
    return false;
  }
  FUNCPIPE_CHECK(static_cast<Bytes>(destination->size()) >= transfer.announced, "room for {} bytes, {} to come",
                 destination->size(), transfer.announced);
  transfer.response.received = destination->first(0);
  // The destination's memory is kept as its start only: received.size() grows as bytes arrive, up to `announced`.
  return true;
}

std::size_t on_header(char* buffer, std::size_t size, std::size_t count, void* state) {
  auto& transfer = *static_cast<Transfer*>(state);
  transfer.moved += static_cast<curl_off_t>(size * count);
  const std::string_view line = trimmed({buffer, size * count});
  if (line.starts_with("HTTP/")) {  // the answer itself, or a "100 Continue" before it
    transfer.response = {};
    transfer.announced = -1;
    const std::size_t space = line.find(' ');
    if (space != std::string_view::npos) {
      std::from_chars(line.data() + space + 1, line.data() + line.size(), transfer.response.status);
    }
    return size * count;
  }
  if (line.empty()) {
    const bool interim = transfer.response.status < 200;
    return interim || headers_done(transfer) ? size * count : 0;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "content-length") std::from_chars(value.data(), value.data() + value.size(), transfer.announced);
  transfer.response.headers.emplace_back(std::move(name), value);
  return size * count;
}

std::size_t on_download(char* buffer, std::size_t size, std::size_t count, void* state) {
  auto& transfer = *static_cast<Transfer*>(state);
  const std::size_t bytes = size * count;
  transfer.moved += static_cast<curl_off_t>(bytes);
  if (!transfer.into_destination) {
    if (transfer.response.body.size() + bytes > kLongestOwnedBody) return 0;
    transfer.response.body.append(buffer, bytes);
    return bytes;
  }
  MutableBytes& received = transfer.response.received;
  // libcurl stops at Content-Length by itself. This check protects the caller's memory should it not.
  if (static_cast<Bytes>(received.size() + bytes) > transfer.announced) return 0;
  std::memcpy(received.data() + received.size(), buffer, bytes);
  received = MutableBytes(received.data(), received.size() + bytes);
  return bytes;
}

// libcurl reports how much of the body it has sent.
int on_progress(void* state, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  auto& transfer = *static_cast<Transfer*>(state);
  transfer.moved += sent - std::exchange(transfer.uploaded, sent);
  return transfer.request.stop.stop_requested() ? 1 : 0;
}

// Keeps SIGPIPE from this thread while it lives. OpenSSL writes to its socket without MSG_NOSIGNAL, so a peer that hung
// up would otherwise raise it.
class WithoutSigpipe {
 public:
  explicit WithoutSigpipe(bool needed) : needed_(needed) {
    if (!needed_) return;
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    already_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~WithoutSigpipe() {
    if (!needed_) return;
    constexpr std::timespec kNoWait{};
    if (!already_pending_) sigtimedwait(&sigpipe_, nullptr, &kNoWait);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  const bool needed_;
  bool already_pending_ = false;
  sigset_t sigpipe_;
  sigset_t before_;
};

HttpFailure::Kind kind_of(CURLcode code, bool connected) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return HttpFailure::Kind::refused;
    case CURLE_OPERATION_TIMEDOUT:
      return connected ? HttpFailure::Kind::timeout : HttpFailure::Kind::refused;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_SSL_CONNECT_ERROR:
      return HttpFailure::Kind::cut;
    case CURLE_UNSUPPORTED_PROTOCOL:  // what libcurl takes for HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
      return connected ? HttpFailure::Kind::not_http : HttpFailure::Kind::local;
    default:
      return HttpFailure::Kind::local;
  }
}

}  // namespace

std::optional<std::string_view> HttpAnswer::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return std::nullopt;
}

// An easy handle with a multi handle of its own. The multi handle keeps the connection between requests, and another
// thread can wake it.
class HttpClient::Connection {
 public:
  Connection() : easy_(curl_easy_init()), multi_(curl_multi_init()) {
    FUNCPIPE_CHECK(easy_ && multi_, "libcurl gives no handle");
  }
  ~Connection() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  tl::expected<HttpAnswer, HttpFailure> perform(const HttpCall& request, bool loopback);

 private:
  void prepare(Transfer& transfer, curl_slist* headers, bool loopback);
  CURLcode run(const Transfer& transfer, Patience& patience, std::string& over);

  CURL* easy_;
  CURLM* multi_;
};

void HttpClient::Connection::prepare(Transfer& transfer, curl_slist* headers, bool loopback) {
  const HttpCall& request = transfer.request;
  const auto set = [this](CURLoption option, auto value) {
    const CURLcode code = curl_easy_setopt(easy_, option, value);
    FUNCPIPE_CHECK(code == CURLE_OK, "libcurl option {}: {}", static_cast<int>(option), curl_easy_strerror(code));
  };
  const auto milliseconds = [](Seconds seconds) { return std::max(1L, static_cast<long>(seconds * 1000)); };
  curl_easy_reset(easy_);  // keeps connections, name lookups and TLS sessions
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);  // a key may hold "/../", and the path is signed
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_BUFFERSIZE, 512L * 1024);
  set(CURLOPT_HTTPHEADER, headers);
  set(CURLOPT_ERRORBUFFER, transfer.curl_message.data());
  set(CURLOPT_USERAGENT, "funcpipe");
  if (loopback) set(CURLOPT_NOPROXY, "*");

  set(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(request.limits.connect));

  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  if (request.method == "PUT" || request.method == "POST") {
    curl_off_t size = 0;
    for (const ConstBytes& piece : request.body) size += static_cast<curl_off_t>(piece.size());
    set(CURLOPT_UPLOAD, 1L);
    set(CURLOPT_INFILESIZE_LARGE, size);
    set(CURLOPT_UPLOAD_BUFFERSIZE, size < 64 * kKiB ? 64L * 1024 : 1024L * 1024);
    set(CURLOPT_READFUNCTION, &on_upload);
    set(CURLOPT_READDATA, &transfer);
    set(CURLOPT_SEEKFUNCTION, &on_rewind);
    set(CURLOPT_SEEKDATA, &transfer);
  }
  if (request.fresh_connection) set(CURLOPT_FRESH_CONNECT, 1L);
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, &transfer);
  set(CURLOPT_WRITEFUNCTION, &on_download);
  set(CURLOPT_WRITEDATA, &transfer);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, &transfer);
}

// Runs the transfer. If a limit passes, returns CURLE_OPERATION_TIMEDOUT and says in `over` which one.
CURLcode HttpClient::Connection::run(const Transfer& transfer, Patience& patience, std::string& over) {
  const std::stop_token& stop = transfer.request.stop;
  const CURLMcode added = curl_multi_add_handle(multi_, easy_);
  FUNCPIPE_CHECK(added == CURLM_OK, "libcurl takes no request: {}", curl_multi_strerror(added));
  const std::stop_callback wake(stop, [this] { curl_multi_wakeup(multi_); });
  CURLcode code = CURLE_OK;
  int running = 1;
  while (true) {
    const CURLMcode performed = curl_multi_perform(multi_, &running);
    FUNCPIPE_CHECK(performed == CURLM_OK, "libcurl: {}", curl_multi_strerror(performed));
    if (running == 0) break;
    if (stop.stop_requested()) {
      curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);  // do not wait for a name lookup under way
      code = CURLE_ABORTED_BY_CALLBACK;
      break;
    }
    curl_off_t connected_us = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
    const Seconds wait = patience.next_turn();
    curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::ceil(wait * 1000)), nullptr);
    patience.count(wait, transfer.moved, connected_us > 0);
    over = patience.over();
    if (!over.empty()) {
      code = CURLE_OPERATION_TIMEDOUT;
      break;
    }
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  }
  return code;
}

tl::expected<HttpAnswer, HttpFailure> HttpClient::Connection::perform(const HttpCall& request, bool loopback) {
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(nullptr, &curl_slist_free_all);
  const auto add_header = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers.get(), line.c_str());
    FUNCPIPE_CHECK(longer, "no memory for a header");
    static_cast<void>(headers.release());  // `longer` begins with the old list and now owns it
    headers.reset(longer);
  };
  for (const auto& [name, value] : request.headers) add_header(value.empty() ? name + ";" : name + ": " + value);
  // These empty values remove headers that libcurl adds by itself. "Expect: 100-continue" costs a round trip, or a
  // second with a server that does not understand it.
  add_header("Expect:");
  add_header("Accept:");

  Transfer transfer{request};
  const WithoutSigpipe guard(request.url.starts_with("https"));
  prepare(transfer, headers.get(), loopback);
  Patience patience(request.limits);
  std::string over;
  const CURLcode code = run(transfer, patience, over);
  long request_bytes = 0;
  curl_off_t connected_us = 0;
  curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  curl_multi_remove_handle(multi_, easy_);  // closes the connection of an unfinished transfer
  // libcurl reports success for a connection that ended within the headers. Such an answer is incomplete.
  if (code == CURLE_OK && transfer.headers_complete) return std::move(transfer.response);

  HttpFailure failure{
      .kind = HttpFailure::Kind::local,
      .message = code == CURLE_OPERATION_TIMEDOUT && !over.empty() ? over : std::string(transfer.curl_message.data()),
      .sent = request_bytes > 0,
      .not_running = patience.not_running()};
  if (code == CURLE_OK) {
    failure.kind = HttpFailure::Kind::cut;
    failure.message = "the connection ended amid the answer's headers";
    return tl::unexpected(std::move(failure));
  }
  if (failure.message.empty()) failure.message = curl_easy_strerror(code);
  if (transfer.rejected) {
    failure.kind = HttpFailure::Kind::rejected;
    failure.error = *transfer.rejected;
  } else if (request.stop.stop_requested()) {
    failure.kind = HttpFailure::Kind::stopped;
  } else {
    failure.kind = kind_of(code, connected_us > 0);
  }
  return tl::unexpected(std::move(failure));
}

HttpClient::HttpClient(bool loopback) : loopback_(loopback) {
  // libcurl must be initialised once per process, before the first handle.
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  FUNCPIPE_CHECK(started == CURLE_OK, "libcurl does not start: {}", curl_easy_strerror(started));
}

HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Connection> HttpClient::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return connection;
    }
  }
  return std::make_unique<Connection>();
}

void HttpClient::give_back(std::unique_ptr<Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

tl::expected<HttpAnswer, HttpFailure> HttpClient::perform(const HttpCall& request) {
  auto connection = take();
  auto outcome = connection->perform(request, loopback_);
  // A connection that failed is dropped: libcurl cannot reuse one that ended in a name lookup or a connect.
  if (outcome) give_back(std::move(connection));
  return outcome;
}

}  // namespace funcpipe
