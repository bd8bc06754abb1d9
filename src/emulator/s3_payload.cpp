#include "emulator/s3_payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>
#include <optional>

#include "emulator/aws_chunked.h"
#include "emulator/body_digests.h"
#include "emulator/file_work.h"
#include "store/digest.h"
#include "store/sigv4.h"

namespace funcpipe {
namespace {

constexpr Bytes kLargestPut = 5 * kGiB;
constexpr Bytes kInline = kMiB;  // up to here waiting for a thread, on a busy machine, costs more than the work
constexpr std::size_t kStreamedSlice = 2 * kMiB;
constexpr std::size_t kSlice = 8 * kMiB;  // written while the next one comes in
constexpr Bytes kMostWithMd5 = kMiB;      // with a CRC-32C at hand
constexpr std::string_view kChecksumPrefix = "x-amz-checksum-";

// What the headers promise of the body.
struct Promise {
  bool aws_chunked = false;
  std::optional<Bytes> size;
  std::string sha256;                 // hex; empty: not said
  std::string md5;                    // raw
  NamedValues checksums;              // algorithm, base64
  std::vector<std::string> trailing;  // algorithms whose value follows the body
};

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

tl::expected<Promise, Refusal> read_promise(const HttpRequest& request) {
  Promise promise;
  if (request.content_length && !request.has_header("content-length"))
    return refuse(411, "MissingContentLength", "You must provide the Content-Length HTTP header.");
  promise.size = request.content_length;
  const auto payload = request.header("x-amz-content-sha256");
  if (payload == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    promise.aws_chunked = true;
    const auto length = request.header("x-amz-decoded-content-length");
    Bytes size = -1;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), size);
    if (error != std::errc() || end != length.data() + length.size() || size < 0)
      return refuse(411, "MissingContentLength", "x-amz-decoded-content-length must say how long the body is.");
    promise.size = size;
  } else if (payload.starts_with("STREAMING-")) {
    return refuse(501, "NotImplemented", fmt::format("x-amz-content-sha256 {} is not served here.", payload));
  } else if (is_sha256(payload)) {
    promise.sha256 = payload;
  } else if (!payload.empty() && payload != kUnsignedPayload) {
    return refuse(400, "InvalidArgument",
                  "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid sha256 "
                  "value.");
  }
  if (promise.size && *promise.size > kLargestPut)
    return refuse(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of 5 GiB.");
  if (request.has_header("content-md5")) {
    const auto raw = from_base64(request.header("content-md5"));
    if (!raw || raw->size() != 16) return refuse(400, "InvalidDigest", "The Content-MD5 you specified is not valid.");
    promise.md5 = *raw;
  }
  for (const auto& [name, value] : request.headers) {
    if (!name.starts_with(kChecksumPrefix)) continue;
    const auto algorithm = name.substr(kChecksumPrefix.size());
    if (BodyDigests::knows(algorithm)) promise.checksums.emplace_back(algorithm, value);
  }
  std::string_view trailer = request.header("x-amz-trailer");
  if (promise.aws_chunked && trailer.starts_with(kChecksumPrefix)) {
    const std::string algorithm(trailer.substr(kChecksumPrefix.size()));
    if (!BodyDigests::knows(algorithm))
      return refuse(501, "NotImplemented", fmt::format("The checksum {} is not served here.", trailer));
    promise.trailing.push_back(algorithm);
  }
  return promise;
}

// The body as the client meant it, whatever its coding.
class Source {
 public:
  Source(HttpRequest& request, const Promise& promise) : request_(request) {
    if (promise.aws_chunked) chunked_.emplace(request);
  }
  // Fills `into`, or less at the end.
  asio::awaitable<std::size_t> fill(std::span<std::byte> into) {
    std::size_t filled = 0;
    while (filled < into.size()) {
      std::size_t got = 0;
      if (chunked_) {
        got = co_await chunked_->read_some(into.subspan(filled));
      } else {
        got = co_await request_.read_some(into.subspan(filled));
      }
      if (got == 0) break;
      filled += got;
    }
    co_return filled;
  }
  // Reads on to the very end, trailers included; true if there was more data or the coding is broken.
  asio::awaitable<bool> overflows() {
    std::byte one;
    co_return co_await fill(std::span(&one, 1)) > 0 || (chunked_ && chunked_->broken());
  }
  bool broken() const { return chunked_ && chunked_->broken(); }
  const AwsChunkedReader* chunked() const { return chunked_ ? &*chunked_ : nullptr; }

 private:
  HttpRequest& request_;
  std::optional<AwsChunkedReader> chunked_;
};

void want_promised(BodyDigests& digests, const Promise& promise) {
  if (!promise.sha256.empty()) digests.want("sha256");
  if (!promise.md5.empty()) digests.want("md5");
  for (const auto& checksum : promise.checksums) digests.want(checksum.first);
  for (const auto& algorithm : promise.trailing) digests.want(algorithm);
}

tl::expected<void, Refusal> verify(const Promise& promise, BodyDigests& digests, const Source& source) {
  if (!promise.sha256.empty() && hex(digests.finish("sha256")) != promise.sha256)
    return refuse(400, "XAmzContentSHA256Mismatch",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  if (!promise.md5.empty() && digests.finish("md5") != promise.md5)
    return refuse(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  NamedValues checksums = promise.checksums;
  if (source.chunked()) {
    for (const auto& [name, value] : source.chunked()->trailers())
      if (name.starts_with(kChecksumPrefix)) checksums.emplace_back(name.substr(kChecksumPrefix.size()), value);
  }
  for (const auto& [algorithm, value] : checksums) {
    if (base64(digests.finish(algorithm)) != value)
      return refuse(400, "BadDigest",
                    fmt::format("The {} you specified did not match the calculated checksum.", algorithm));
  }
  return {};
}

tl::unexpected<Refusal> incomplete() {
  return refuse(400, "IncompleteBody",
                "The request's body is not as long as its headers say, or its coding is broken.");
}

}  // namespace

Refusal storage_refusal(const Error& error) {
  if (error.code == ErrorCode::exhausted) return {507, "InsufficientStorage", describe(error)};
  return {500, "InternalError", describe(error)};
}

asio::awaitable<tl::expected<ReceivedPayload, Refusal>> receive_payload(HttpRequest& request, ObjectFolder& folder,
                                                                        asio::thread_pool& file_threads, bool part) {
  using asio::experimental::awaitable_operators::operator&&;
  auto promise = read_promise(request);
  if (!promise) co_return tl::unexpected<Refusal>(promise.error());

  BodyDigests digests;
  want_promised(digests, *promise);
  const auto has_crc32c = [&] {
    return std::any_of(promise->checksums.begin(), promise->checksums.end(),
                       [](const auto& checksum) { return checksum.first == "crc32c"; });
  };
  const bool with_md5 = part || !has_crc32c() || !promise->size || *promise->size <= kMostWithMd5;
  if (with_md5) digests.want("md5");

  auto file = folder.writer();
  if (!file) co_return tl::unexpected<Refusal>(storage_refusal(file.error()));
  ReceivedPayload payload;
  payload.file = std::move(*file);
  Source source(request, *promise);

  const bool keep = !part && promise->size && folder.cache().takes(*promise->size);
  std::shared_ptr<std::byte[]> kept;  // shared: becomes the cache's
  std::vector<std::byte> slices[2];
  if (keep)
    kept = std::make_shared_for_overwrite<std::byte[]>(static_cast<std::size_t>(std::max<Bytes>(*promise->size, 1)));
  const auto room = [&](int turn) -> std::span<std::byte> {
    if (!keep) {
      auto& slice = slices[turn % 2];
      slice.resize(kStreamedSlice);
      return slice;
    }
    return {kept.get() + payload.size, std::min(kSlice, static_cast<std::size_t>(*promise->size - payload.size))};
  };
  Result<> written;
  std::span<const std::byte> waiting;  // read, not yet digested and written
  const auto absorb = [&] {
    digests.update(waiting);
    return payload.file->append(waiting);
  };
  for (int turn = 0; written; ++turn) {
    const auto into = room(turn);
    std::size_t got = 0;
    if (waiting.empty()) {
      got = co_await source.fill(into);
    } else {
      // The next slice comes in while the last one is digested and written.
      auto [filled, result] = co_await (source.fill(into) && run_on(file_threads, absorb));
      got = filled;
      written = std::move(result);
    }
    payload.size += static_cast<Bytes>(got);
    waiting = into.first(got);
    if (got < into.size() || (promise->size && payload.size == *promise->size)) break;
    if (payload.size > kLargestPut) co_return refuse(400, "EntityTooLarge", "An object is at most 5 GiB.");
  }
  if (written && !waiting.empty()) {
    if (waiting.size() <= static_cast<std::size_t>(kInline)) {
      written = absorb();
    } else {
      written = co_await run_on(file_threads, absorb);
    }
  }
  if (!written) co_return tl::unexpected<Refusal>(storage_refusal(written.error()));
  if (co_await source.overflows() || (promise->size && payload.size != *promise->size)) co_return incomplete();
  if (auto verified = verify(*promise, digests, source); !verified) co_return tl::unexpected<Refusal>(verified.error());

  payload.crc32c = digests.crc32c();
  payload.etag = with_md5 ? hex(digests.finish("md5")) : fmt::format("{:08x}{:024x}-1", payload.crc32c, payload.size);
  payload.bytes = std::move(kept);
  co_return payload;
}

asio::awaitable<tl::expected<std::string, Refusal>> receive_document(HttpRequest& request, Bytes limit) {
  auto promise = read_promise(request);
  if (!promise) co_return tl::unexpected<Refusal>(promise.error());
  if (promise->size && *promise->size > limit)
    co_return refuse(400, "MaxMessageLengthExceeded", "Your request was too big.");
  Source source(request, *promise);
  std::string document;
  std::vector<std::byte> slice(64 * kKiB);
  while (const auto got = co_await source.fill(slice)) {
    document.append(reinterpret_cast<const char*>(slice.data()), got);
    if (static_cast<Bytes>(document.size()) > limit)
      co_return refuse(400, "MaxMessageLengthExceeded", "Your request was too big.");
  }
  if (source.broken()) co_return incomplete();
  BodyDigests digests;
  want_promised(digests, *promise);
  digests.update(std::as_bytes(std::span(document)));
  if (auto verified = verify(*promise, digests, source); !verified) co_return tl::unexpected<Refusal>(verified.error());
  co_return document;
}

}  // namespace funcpipe
