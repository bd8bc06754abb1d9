#include "store/s3_store.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "store/digest.h"
#include "store/s3_xml.h"
#include "store/sigv4.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr std::size_t kKeysPerDelete = 1000;  // S3's limit
constexpr int kConflict = 409;
constexpr int kPutTriesOnConflict = 10;

std::uint32_t checksum(std::span<const ConstBytes> pieces) {
  std::uint32_t sum = 0;
  for (const ConstBytes& piece : pieces) sum = crc32c(piece, sum);
  return sum;
}

bool ok(const HttpAnswer& answer) {
  return answer.status >= 200 && answer.status < 300;
}

// Recognises a web page in place of an S3 answer. S3 answers a put with no body, and a get with an ETag.
bool is_web_page(const HttpAnswer& answer) {
  return ok(answer) && !answer.header("etag") && answer.header("content-type").value_or("").starts_with("text/html");
}

tl::unexpected<Error> no_s3(const std::string& endpoint, const std::string& where) {
  return fail(ErrorCode::failed, fmt::format("no S3 there: {} answered with a web page and no ETag", endpoint), where,
              "Check the endpoint's address and port: a web server that is no object store answers there.");
}

// Returns a hint on what to do about a redirection. It is not followed, because the signature holds only for the
// address asked.
std::string way_of(const HttpAnswer& answer) {
  if (const auto region = answer.header("x-amz-bucket-region"))
    return fmt::format(
        "The bucket is in region {0}: set platform.region to \"{0}\", and the endpoint to that region's.", *region);
  if (const auto location = answer.header("location"))
    return fmt::format("It points to {}: name the endpoint there.", *location);
  return "Name the endpoint that holds the bucket.";
}

}  // namespace

struct S3Store::Call {
  std::string method;
  std::string path;   // percent-encoded
  std::string query;  // percent-encoded, without '?'
  HttpHeaders headers;
  std::span<const ConstBytes> body;
  Destination destination;
  std::string where;  // for messages
  std::atomic<std::int64_t>* count = nullptr;
};

struct S3Store::Service {
  Service(S3Options chosen, Url address)
      : options(std::move(chosen)),
        url(std::move(address)),
        host(options.endpoint.path_style ? url.authority : options.bucket + "." + url.authority),
        unsigned_payload(url.secure() || url.loopback()),
        client(url.loopback()),
        retrier(options.retry, options.endpoint.url, url.loopback(), options.total_silent) {}

  const S3Options options;
  const Url url;
  const std::string host;
  const bool unsigned_payload;
  HttpClient client;
  Retrier retrier;
  std::atomic<std::int64_t> puts = 0, gets = 0, lists = 0, removes = 0, uploaded = 0, downloaded = 0;
};

Result<std::unique_ptr<S3Store>> S3Store::open(S3Options options) {
  FUNCPIPE_TRY(url, parse_url(options.endpoint.url));
  if (options.bucket.empty() || options.bucket.find('/') != std::string::npos) {
    return fail(ErrorCode::invalid_input, fmt::format("not a bucket name: \"{}\"", options.bucket));
  }
  auto service = std::make_shared<Service>(std::move(options), std::move(url));
  return std::unique_ptr<S3Store>(new S3Store(std::move(service), {}));
}

S3Store::S3Store(std::shared_ptr<Service> service, std::stop_token stop)
    : service_(std::move(service)), stop_(std::move(stop)) {}

std::unique_ptr<S3Store> S3Store::view(std::stop_token stop) {
  return std::unique_ptr<S3Store>(new S3Store(service_, std::move(stop)));
}

std::string S3Store::place(const std::string& key) const {
  return "s3://" + service_->options.bucket + "/" + key;
}

std::string S3Store::path(const std::string& key) const {
  std::string path = service_->options.endpoint.path_style ? "/" + uri_encode(service_->options.bucket) : std::string();
  if (!key.empty() || path.empty()) path += "/" + uri_encode(key, /*keep_slash=*/true);
  return path;
}

Result<HttpAnswer> S3Store::send(const Call& call) {
  const std::string payload_hash = service_->unsigned_payload ? std::string(kUnsignedPayload) : hex(sha256(call.body));
  const std::string url = service_->url.scheme + "://" + service_->host + call.path +
                          (call.query.empty() ? std::string() : "?" + call.query);
  const auto attempt = [&]() -> tl::expected<HttpAnswer, HttpFailure> {
    // Each try is signed anew, because a signature is valid for some minutes only.
    const SigningScope scope{"s3", service_->options.endpoint.region, amz_time(unix_time())};
    HttpHeaders headers = call.headers;
    headers.emplace_back("Host", service_->host);
    headers.emplace_back("x-amz-date", scope.time);
    headers.emplace_back("x-amz-content-sha256", payload_hash);
    if (!service_->options.credentials.session_token.empty()) {
      headers.emplace_back("x-amz-security-token", service_->options.credentials.session_token);
    }
    headers.emplace_back("Authorization", authorization_v4({call.method, call.path, call.query, headers, payload_hash},
                                                           scope, service_->options.credentials));
    auto answer = service_->client.perform(
        {call.method, url, std::move(headers), call.body, call.destination, service_->options.limits, false, stop_});
    if (answer) ++*call.count;
    return answer;
  };
  return service_->retrier.run(call.method + " " + call.where, attempt, Retrier::Repeat::idempotent, stop_);
}

tl::unexpected<Error> S3Store::refused(const HttpAnswer& answer, const std::string& where) const {
  const S3Error error = parse_s3_error(answer.body);
  std::string message = fmt::format("HTTP status {} from {}", answer.status, service_->options.endpoint.url);
  if (!error.code.empty()) {
    message = fmt::format("{}: {} (HTTP status {} from {})", error.code, error.message, answer.status,
                          service_->options.endpoint.url);
  }
  switch (answer.status) {
    case 301:
    case 302:
    case 307:
    case 308:
      if (const auto location = answer.header("location")) message += fmt::format(", which points to {}", *location);
      return fail(ErrorCode::failed, message, where, way_of(answer));
    case 401:
    case 403:
      return fail(ErrorCode::permission_denied, message, where,
                  error.code == "SignatureDoesNotMatch" || error.code == "InvalidAccessKeyId"
                      ? "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."
                      : "The credentials need s3:GetObject, s3:PutObject, s3:DeleteObject on the job's prefix and "
                        "s3:ListBucket on the bucket.");
    case 404:
      return fail(ErrorCode::not_found, message, where,
                  error.code == "NoSuchBucket" ? "Create the bucket, or name one that exists." : "");
    case 416:
      return fail(ErrorCode::invalid_input, message, where);
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return fail(ErrorCode::unavailable, message, where, "The service is overloaded or broken; try again later.");
    case 507:
      return fail(ErrorCode::exhausted, message, where, "The store's disk is full.");
    default:
      if (error.code == "BadDigest" || error.code == "XAmzContentSHA256Mismatch") {
        return fail(ErrorCode::corrupt, message, where);
      }
      return fail(ErrorCode::failed, message, where);
  }
}

Result<PutOutcome> S3Store::put(const std::string& key, std::span<const ConstBytes> pieces, PutMode mode) {
  FUNCPIPE_TRY_VOID(check_key(key));
  Call call{"PUT", path(key), "", {}, pieces, {}, place(key), &service_->puts};
  call.headers = {{"Content-Type", "application/octet-stream"},
                  {"x-amz-checksum-crc32c", crc32c_header(checksum(pieces))}};
  if (mode == PutMode::create_if_absent) call.headers.emplace_back("If-None-Match", "*");
  for (int tries = 1;; ++tries) {
    FUNCPIPE_TRY(answer, send(call));
    if (answer.status == 412 && mode == PutMode::create_if_absent) return PutOutcome::already_there;
    // A 409 means that another put of the same key is under way. A later try will get 412.
    if (answer.status == kConflict && mode == PutMode::create_if_absent && tries < kPutTriesOnConflict) {
      SystemClock clock;
      if (!clock.sleep_until(clock.now() + 0.02 * tries, stop_))
        return fail(ErrorCode::cancelled, "stopped while waiting to try again", call.where);
      continue;
    }
    if (!ok(answer)) return refused(answer, call.where);
    if (is_web_page(answer)) return no_s3(service_->options.endpoint.url, call.where);
    for (const ConstBytes& piece : pieces) service_->uploaded += static_cast<Bytes>(piece.size());
    return PutOutcome::created;
  }
}

Result<std::optional<Bytes>> S3Store::get(const std::string& key, const Destination& destination,
                                          std::optional<ByteRange> range) {
  FUNCPIPE_TRY_VOID(check_key(key));
  if (range && range->size == 0) {  // HTTP cannot express an empty range
    FUNCPIPE_TRY(whole, size(key));
    if (!whole) return std::nullopt;
    if (range->first > *whole) {
      return fail(ErrorCode::invalid_input, fmt::format("a range at {} of {} bytes", range->first, *whole), place(key));
    }
    FUNCPIPE_TRY_VOID(destination(0));
    return Bytes{0};
  }
  Call call{"GET", path(key), "", {}, {}, destination, place(key), &service_->gets};
  call.headers = {{"x-amz-checksum-mode", "ENABLED"}};
  if (range) {
    call.headers.emplace_back("Range", fmt::format("bytes={}-{}", range->first, range->first + range->size - 1));
    // If the object does not hold the whole range, no byte of the answer goes to the caller's memory.
    call.destination = [&](Bytes bytes) -> Result<MutableBytes> {
      if (bytes != range->size) {
        return fail(ErrorCode::invalid_input,
                    fmt::format("asked for {} bytes at {}, got {}", range->size, range->first, bytes), place(key));
      }
      return destination(bytes);
    };
  }
  constexpr int kTriesOnCorrupt = 3;
  for (int tries = 1;; ++tries) {
    FUNCPIPE_TRY(answer, send(call));
    if (answer.status == 404 && parse_s3_error(answer.body).code != "NoSuchBucket") return std::nullopt;
    if (!ok(answer)) return refused(answer, call.where);
    const auto bytes = static_cast<Bytes>(answer.received.size());
    if (range && bytes != range->size) {
      return fail(ErrorCode::invalid_input, fmt::format("asked for {} bytes, got {}", range->size, bytes), place(key));
    }
    if (bytes == 0) FUNCPIPE_TRY_VOID(destination(0));
    const auto announced = answer.header("x-amz-checksum-crc32c");
    // Two checksums are not of these bytes: that of a ranged answer (it is of the whole object), and that of an object
    // uploaded in parts (it has a '-').
    if (!range && announced && announced->find('-') == std::string_view::npos) {
      const std::string found = crc32c_header(crc32c(answer.received));
      if (found != *announced) {
        if (tries < kTriesOnCorrupt) continue;
        return fail(
            ErrorCode::corrupt,
            fmt::format("{} bytes with CRC-32C {} where {} is announced ({} tries)", bytes, found, *announced, tries),
            place(key));
      }
    }
    service_->downloaded += bytes;
    return bytes;
  }
}

Result<std::optional<Bytes>> S3Store::size(const std::string& key) {
  FUNCPIPE_TRY_VOID(check_key(key));
  FUNCPIPE_TRY(answer, send({"HEAD", path(key), "", {}, {}, {}, place(key), &service_->gets}));
  if (answer.status == 404) return std::nullopt;
  if (!ok(answer)) return refused(answer, place(key));
  const auto length = answer.header("content-length");
  if (!length) return fail(ErrorCode::corrupt, "the answer has no Content-Length", place(key));
  Bytes bytes = -1;
  const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), bytes);
  if (error != std::errc() || end != length->data() + length->size() || bytes < 0)
    return fail(ErrorCode::corrupt, fmt::format("the answer's Content-Length is no size: \"{}\"", *length), place(key));
  return bytes;
}

Result<> S3Store::remove(std::span<const std::string> keys) {
  for (const std::string& key : keys) FUNCPIPE_TRY_VOID(check_key(key));
  for (std::size_t first = 0; first < keys.size(); first += kKeysPerDelete) {
    FUNCPIPE_TRY_VOID(remove_batch(keys.subspan(first, std::min(kKeysPerDelete, keys.size() - first))));
  }
  return {};
}

Result<> S3Store::remove_batch(std::span<const std::string> keys) {
  const std::string xml = delete_request_xml(keys);
  const ConstBytes body = as_bytes(xml);
  Call call{"POST", path(""), "delete=", {}, {&body, 1}, {}, place(""), &service_->removes};
  call.headers = {{"Content-Type", "application/xml"}, {"Content-MD5", base64(md5(xml))}};
  FUNCPIPE_TRY(answer, send(call));
  if (!ok(answer)) return refused(answer, call.where);
  FUNCPIPE_TRY(failures, parse_delete_result(answer.body));
  if (!failures.empty()) {
    const DeleteFailure& first = failures.front();
    return fail(first.error.code == "AccessDenied" ? ErrorCode::permission_denied : ErrorCode::failed,
                fmt::format("{} of {} objects not deleted, the first: {}: {}", failures.size(), keys.size(),
                            first.error.code, first.error.message),
                place(first.key));
  }
  return {};
}

Result<std::vector<ListedObject>> S3Store::list(const std::string& prefix) {
  std::vector<ListedObject> objects;
  std::string continuation;
  do {
    std::vector<std::pair<std::string, std::string>> parameters;
    if (!continuation.empty()) parameters.emplace_back("continuation-token", continuation);
    parameters.emplace_back("encoding-type", "url");  // XML cannot hold every character a key can
    parameters.emplace_back("list-type", "2");
    if (!prefix.empty()) parameters.emplace_back("prefix", prefix);
    FUNCPIPE_TRY(answer,
                 send({"GET", path(""), encode_query(parameters), {}, {}, {}, place(prefix), &service_->lists}));
    if (!ok(answer)) return refused(answer, place(prefix));
    FUNCPIPE_TRY(page, parse_list_page(answer.body));
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(objects));
    continuation = std::move(page.continuation);
  } while (!continuation.empty());
  return objects;
}

Result<bool> S3Store::bucket_exists() {
  FUNCPIPE_TRY(answer, send({"HEAD", path(""), "", {}, {}, {}, place(""), &service_->gets}));
  if (answer.status == 404) return false;
  if (!ok(answer)) return refused(answer, place(""));
  return true;
}

Result<> S3Store::create_bucket() {
  // S3 refuses us-east-1 as a location; a bucket goes there if none is named.
  const std::string& region = service_->options.endpoint.region;
  const std::string xml = region == "us-east-1" ? std::string() : create_bucket_xml(region);
  const ConstBytes body = as_bytes(xml);
  FUNCPIPE_TRY(answer, send({"PUT", path(""), "", {}, {&body, 1}, {}, place(""), &service_->puts}));
  if (is_web_page(answer)) return no_s3(service_->options.endpoint.url, place(""));
  if (ok(answer)) return {};
  const std::string code = parse_s3_error(answer.body).code;
  if (code == "BucketAlreadyOwnedByYou") return {};
  if (code == "BucketAlreadyExists") {
    return fail(ErrorCode::already_exists, "the bucket's name is taken by somebody else", place(""),
                "Choose another bucket name; they are shared by all customers of the service.");
  }
  return refused(answer, place(""));
}

RequestCounts S3Store::counts() const {
  return {service_->puts,     service_->gets,      service_->lists, service_->removes, service_->retrier.repeated(),
          service_->uploaded, service_->downloaded};
}

}  // namespace funcpipe
