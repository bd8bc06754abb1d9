#include "emulator/http/head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <limits>

namespace funcpipe {
namespace {

constexpr std::size_t kMostFields = 256;      // headers
constexpr std::size_t kMostParameters = 256;  // of the query

// A request may have each of these only once; of two, it would be unclear which one counts.
constexpr std::array<std::string_view, 17> kSingle = {"host",
                                                      "authorization",
                                                      "content-length",
                                                      "content-type",
                                                      "content-md5",
                                                      "date",
                                                      "range",
                                                      "if-match",
                                                      "if-none-match",
                                                      "if-modified-since",
                                                      "transfer-encoding",
                                                      "expect",
                                                      "content-encoding",
                                                      "if-unmodified-since",
                                                      "cache-control",
                                                      "content-disposition",
                                                      "expires"};

tl::unexpected<HeadFault> fault(std::string what, int status = 400) {
  return tl::unexpected(HeadFault{status, std::move(what)});
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_token(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string::npos;
}

bool valid_host(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::string_view(".-_:[]").find(c) != std::string::npos;
  });
}

std::optional<HeadFault> take_target(std::string_view target, HttpRequest& request) {
  constexpr std::string_view kScheme = "http://";
  if (target.starts_with(kScheme)) {  // absolute form, as sent to a proxy
    target.remove_prefix(kScheme.size());
    const auto host = target.substr(0, target.find_first_of("/?"));
    if (host != request.header("host")) return HeadFault{400, "the request's target and its Host name two hosts"};
    target.remove_prefix(host.size());
    if (target.empty()) target = "/";
  }
  if (!target.starts_with('/')) return HeadFault{400, "the request's target must start with '/'"};
  const auto mark = target.find('?');
  request.raw_path = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) request.raw_query = std::string(target.substr(mark + 1));
  auto path = percent_decode(request.raw_path);
  if (!path) return HeadFault{400, "a '%' in the path is not followed by two hexadecimal digits"};
  request.path = std::move(*path);
  std::string_view rest = request.raw_query;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('&'), rest.size());
    std::string pair(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (pair.empty()) continue;
    if (request.query.size() == kMostParameters) return HeadFault{400, "the query has too many parameters"};
    std::replace(pair.begin(), pair.end(), '+', ' ');
    const auto equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(std::string_view(pair).substr(0, equals));
    auto value = percent_decode(std::string_view(pair).substr(std::min(equals + 1, pair.size())));
    if (!name || !value) return HeadFault{400, "a '%' in the query is not followed by two hexadecimal digits"};
    request.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

std::optional<HeadFault> take_fields(const HttpParser& parser, HttpRequest& request) {
  for (const auto& field : parser.get()) {
    if (request.headers.size() == kMostFields) return HeadFault{431, "the request has too many headers"};
    std::string name = lower({field.name_string().data(), field.name_string().size()});
    const bool single = std::find(kSingle.begin(), kSingle.end(), name) != kSingle.end() ||
                        (name.starts_with("x-amz-") && !name.starts_with("x-amz-meta-"));
    if (single && request.has_header(name)) return HeadFault{400, "the header " + name + " is there twice"};
    request.headers.emplace_back(std::move(name), std::string(field.value().data(), field.value().size()));
  }
  if (!request.has_header("host") && parser.get().version() >= 11) return HeadFault{400, "there is no Host header"};
  if (request.has_header("host") && !valid_host(request.header("host")))
    return HeadFault{400, "the Host header names no host"};
  return {};
}

}  // namespace

tl::expected<std::size_t, HeadFault> HeadScanner::scan(std::string_view text) {
  for (; at_ < text.size(); ++at_) {
    const char c = text[at_];
    if (at_ == 0 && !is_token(c)) return fault("this is no HTTP request");
    if (c == '\0') return fault("a NUL in the request's head");
    if (c == '\n' && (at_ == 0 || text[at_ - 1] != '\r'))
      return fault("a line of the head ends without a carriage return");
    if (c != '\n' && at_ > 0 && text[at_ - 1] == '\r') return fault("a carriage return within a line of the head");
    if (line_start_ && (c == ' ' || c == '\t')) return fault("a folded header line");
    if (c == '\n') {
      if (text.substr(0, at_ + 1).ends_with("\r\n\r\n")) return ++at_;
      line_start_ = true;
    } else {
      line_start_ = false;
    }
  }
  return 0;
}

tl::expected<BodyFraming, HeadFault> take_head(const HttpParser& parser, HttpRequest& request) {
  const auto& message = parser.get();
  request.method = std::string(message.method_string());
  if (auto wrong = take_fields(parser, request)) return tl::unexpected(std::move(*wrong));
  if (auto wrong = take_target({message.target().data(), message.target().size()}, request))
    return tl::unexpected(std::move(*wrong));

  BodyFraming framing;
  if (request.has_header("transfer-encoding")) {
    if (message.version() < 11) return fault("HTTP/1.0 has no transfer coding");
    if (request.has_header("content-length")) return fault("both Content-Length and Transfer-Encoding are given");
    if (lower(request.header("transfer-encoding")) != "chunked")
      return fault("the only transfer coding served here is 'chunked'", 501);
    framing.chunked = true;
    request.content_length.reset();
  } else {
    const auto digits = request.header("content-length");
    if (request.has_header("content-length") &&
        (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos))
      return fault("the Content-Length is no number");  // refuses lists such as "5, 5", too
    const auto length = parser.content_length();
    if (length && *length > static_cast<std::uint64_t>(std::numeric_limits<Bytes>::max()))
      return fault("the body is too long");
    framing.length = length ? static_cast<Bytes>(*length) : 0;
    request.content_length = framing.length;
  }
  if (request.has_header("expect")) {
    if (lower(request.header("expect")) != "100-continue") return fault("this expectation cannot be met", 417);
    framing.continue_expected = message.version() >= 11;
  }
  return framing;
}

}  // namespace funcpipe
