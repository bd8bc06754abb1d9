#include "emulator/s3/payload.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <charconv>
#include <optional>
#include <span>

#include "emulator/file_work.h"
#include "emulator/s3/aws_chunked.h"
#include "emulator/s3/body_digests.h"
#include "store/digest.h"
#include "store/sigv4.h"

namespace funcpipe {
namespace {

constexpr Bytes kLargestPut = 5 * kGiB;
// Smaller pieces are handled at once: waiting for a thread on a busy machine costs more than the work.
constexpr Bytes kInline = kMiB;
constexpr std::size_t kStreamedSlice = 2 * kMiB;
constexpr std::size_t kSmallSlice = 64 * kKiB;
constexpr std::size_t kSlice = 8 * kMiB;  // the piece that is written while the next one comes in
constexpr Bytes kMostWithMd5 = kMiB;      // larger objects get no MD5 if they came with a CRC-32C

// What the headers say about the body.
struct Promise {
  bool aws_chunked = false;
  std::optional<Bytes> size;
  std::string sha256;  // hex; empty: not given
  std::string md5;     // raw
  ChecksumClaim checksum;
};

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

tl::expected<Promise, Refusal> read_promise(const HttpRequest& request, bool of_body) {
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
  if (!promise.aws_chunked && request.header("content-encoding").find("aws-chunked") != std::string_view::npos)
    return refuse(
        400, "InvalidRequest",
        "The content encoding aws-chunked goes with x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER.");
  if (promise.size && *promise.size > kLargestPut)
    return refuse(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size of 5 GiB.");
  if (request.has_header("content-md5")) {
    const auto raw = from_base64(request.header("content-md5"));
    if (!raw || raw->size() != 16) return refuse(400, "InvalidDigest", "The Content-MD5 you specified is not valid.");
    promise.md5 = *raw;
  }
  if (of_body) {
    auto claim = read_checksum_claim(request, promise.aws_chunked);
    if (!claim) return tl::unexpected<Refusal>(std::move(claim.error()));
    promise.checksum = std::move(*claim);
  }
  return promise;
}

// Reads the body with its transfer coding removed.
class Source {
 public:
  Source(HttpRequest& request, const Promise& promise) : request_(request) {
    if (promise.aws_chunked) chunked_.emplace(request);
  }
  // Fills `into`; at the end of the body less. Returns the number of bytes.
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
  // Reads to the very end, trailers included. Returns true if there was more data or the coding is broken.
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
  if (promise.checksum.algorithm) digests.want(promise.checksum.algorithm->name);
}

// Verifies all claims. Returns the claimed checksum, if there is one.
tl::expected<std::optional<StoredChecksum>, Refusal> verify(const Promise& promise, BodyDigests& digests,
                                                            const Source& source) {
  if (!promise.sha256.empty() && hex(digests.finish("sha256")) != promise.sha256)
    return refuse(400, "XAmzContentSHA256Mismatch",
                  "The provided 'x-amz-content-sha256' header does not match what was computed.");
  if (!promise.md5.empty() && digests.finish("md5") != promise.md5)
    return refuse(400, "BadDigest", "The Content-MD5 you specified did not match what we received.");
  const auto value = claimed_value(promise.checksum, source.chunked() ? source.chunked()->trailers() : NamedValues());
  if (!value) return tl::unexpected<Refusal>(value.error());
  const auto* algorithm = promise.checksum.algorithm;
  if (!algorithm) return std::optional<StoredChecksum>();
  if (base64(digests.finish(algorithm->name)) != *value)
    return refuse(400, "BadDigest",
                  fmt::format("The {} you specified did not match the calculated checksum.", algorithm->upper));
  return StoredChecksum{std::string(algorithm->name), *value, std::string(kFullObject)};
}

// Reads the claims about a PUT's body. The checksum must be the one the options ask for.
tl::expected<Promise, Refusal> read_payload_promise(const HttpRequest& request, const PayloadOptions& options) {
  auto promise = read_promise(request, true);
  if (!promise) return promise;
  const auto* claimed = promise->checksum.algorithm;
  if (options.algorithm && claimed && claimed != options.algorithm)
    return refuse(400, "InvalidRequest",
                  fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
                              options.algorithm->name, claimed->name));
  return promise;
}

// True if the entity tag is to be the body's MD5.
bool tagged_by_md5(const Promise& promise, const PayloadOptions& options) {
  const ChecksumClaim& claim = promise.checksum;
  const bool has_crc32c = claim.algorithm && claim.algorithm->name == "crc32c" && !claim.trailing;
  return options.part || !has_crc32c || !promise.size || *promise.size <= kMostWithMd5;
}

// Memory for a body that arrives slice by slice: the memory in which it is kept or else two buffers in turn. The
// buffers are small if many bodies are coming in.
class SliceRoom {
 public:
  // `kept` is nullptr or has `whole` bytes. It must outlive this object.
  SliceRoom(std::byte* kept, Bytes whole, HttpRequest& request)
      : kept_(kept),
        whole_(whole),
        slice_size_(kept || request.hold(2 * static_cast<Bytes>(kStreamedSlice)) ? kStreamedSlice : kSmallSlice) {}

  // Returns the memory for what follows the first `received` bytes. The slice before it stays unchanged.
  std::span<std::byte> next(Bytes received) {
    if (kept_) return {kept_ + received, std::min(kSlice, static_cast<std::size_t>(whole_ - received))};
    auto& slice = slices_[turn_++ % 2];
    slice.resize(slice_size_);
    return slice;
  }

 private:
  std::byte* kept_;
  Bytes whole_;
  std::size_t slice_size_;
  std::vector<std::byte> slices_[2];
  std::size_t turn_ = 0;
};

// Reads the body, computes its digests and writes it to the payload's file. The caller checks whether its length is
// right.
asio::awaitable<tl::expected<void, Refusal>> absorb_body(Source& source, std::optional<Bytes> promised, SliceRoom& room,
                                                         asio::thread_pool& file_threads, BodyDigests& digests,
                                                         ReceivedPayload& payload) {
  using asio::experimental::awaitable_operators::operator&&;
  Result<> written;
  std::span<const std::byte> waiting;  // read, but not yet digested and written
  const auto absorb = [&] {
    digests.update(waiting);
    return payload.file->append(waiting);
  };
  while (written) {
    const auto into = room.next(payload.size);
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
    if (got < into.size() || (promised && payload.size == *promised)) break;
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
  co_return tl::expected<void, Refusal>{};
}

tl::unexpected<Refusal> incomplete() {
  return refuse(400, "IncompleteBody",
                "The request's body is not as long as its headers say, or its coding is broken.");
}

}  // namespace

Refusal storage_refusal(const Error& error) {
  if (error.code == ErrorCode::exhausted) return {507, "InsufficientStorage", describe(error)};
  if (error.code == ErrorCode::unavailable) return {503, "SlowDown", describe(error)};
  if (error.code == ErrorCode::already_exists) return {403, "AccessDenied", describe(error)};
  return {500, "InternalError", describe(error)};
}

asio::awaitable<tl::expected<ReceivedPayload, Refusal>> receive_payload(HttpRequest& request, ObjectFolder& folder,
                                                                        asio::thread_pool& file_threads,
                                                                        MemoryBudget& budget, PayloadOptions options) {
  auto promise = read_payload_promise(request, options);
  if (!promise) co_return tl::unexpected<Refusal>(promise.error());
  BodyDigests digests;
  want_promised(digests, *promise);
  if (options.algorithm) digests.want(options.algorithm->name);
  const bool with_md5 = tagged_by_md5(*promise, options);
  if (with_md5) digests.want("md5");

  auto file = folder.writer();
  if (!file) co_return tl::unexpected<Refusal>(storage_refusal(file.error()));
  ReceivedPayload payload;
  payload.file = std::move(*file);
  std::shared_ptr<std::byte[]> kept;  // shared, because the cache takes it over
  if (!options.part && promise->size && folder.cache().takes(*promise->size)) kept = budget.allocate(*promise->size);
  Source source(request, *promise);
  SliceRoom room(kept.get(), promise->size.value_or(0), request);
  const auto absorbed = co_await absorb_body(source, promise->size, room, file_threads, digests, payload);
  if (!absorbed) co_return tl::unexpected<Refusal>(absorbed.error());
  if (co_await source.overflows() || (promise->size && payload.size != *promise->size)) co_return incomplete();
  auto verified = verify(*promise, digests, source);
  if (!verified) co_return tl::unexpected<Refusal>(verified.error());

  payload.checksum = std::move(*verified);
  if (!payload.checksum && options.algorithm)
    payload.checksum = {std::string(options.algorithm->name), base64(digests.finish(options.algorithm->name)),
                        std::string(kFullObject)};
  payload.crc32c = digests.crc32c();
  payload.etag = with_md5 ? hex(digests.finish("md5")) : fmt::format("{:08x}{:024x}-1", payload.crc32c, payload.size);
  payload.bytes = std::move(kept);
  co_return payload;
}

asio::awaitable<tl::expected<std::string, Refusal>> receive_document(HttpRequest& request, Bytes limit, bool of_body) {
  const auto too_big = [] { return refuse(400, "MaxMessageLengthExceeded", "Your request was too big."); };
  auto promise = read_promise(request, of_body);
  if (!promise) co_return tl::unexpected<Refusal>(promise.error());
  if (promise->size && *promise->size > limit) co_return too_big();
  Source source(request, *promise);
  std::string document;
  std::vector<std::byte> slice(16 * kKiB);
  while (const auto got = co_await source.fill(slice)) {
    if (!request.hold(static_cast<Bytes>(got)))
      co_return refuse(503, "SlowDown", "Too many requests with large bodies are under way. Please try again.");
    document.append(reinterpret_cast<const char*>(slice.data()), got);
    if (static_cast<Bytes>(document.size()) > limit) co_return too_big();
  }
  if (co_await source.overflows() || (promise->size && static_cast<Bytes>(document.size()) != *promise->size))
    co_return incomplete();
  BodyDigests digests;
  want_promised(digests, *promise);
  digests.update(std::as_bytes(std::span(document)));
  if (auto verified = verify(*promise, digests, source); !verified) co_return tl::unexpected<Refusal>(verified.error());
  co_return document;
}

}  // namespace funcpipe
