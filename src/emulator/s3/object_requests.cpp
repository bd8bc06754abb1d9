// The operations on one object: put, get, head, delete.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "base/clock.h"
#include "emulator/file_work.h"
#include "emulator/s3/checksums.h"
#include "emulator/s3/conditions.h"
#include "emulator/s3/requests.h"
#include "emulator/s3/xml.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::string_view kOverride = "response-";
constexpr std::size_t kMostMetadata = 2048;
// Headers that are stored and sent with the object.
constexpr std::array<std::string_view, 5> kKeptHeaders = {"cache-control", "content-disposition", "content-encoding",
                                                          "content-language", "expires"};
// Smaller contents are read at once: waiting for a thread on a busy machine costs more than the read.
constexpr Bytes kInline = kMiB;

// True for UTF-8: U+0000 to U+10FFFF in the shortest form, without surrogates.
bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead >= 0x80 && (lead < 0xc2 || lead > 0xf4)) return false;
    if (i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? lead : lead & (0xffu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    if ((length == 3 && point < 0x800) || (length == 4 && (point < 0x10000 || point > 0x10ffff))) return false;
    if (point >= 0xd800 && point <= 0xdfff) return false;
    i += length;
  }
  return true;
}

// Removes "aws-chunked" from a list of encodings such as "aws-chunked,gzip": it describes the transfer only.
std::string without_chunked(std::string_view encodings) {
  std::string kept;
  while (!encodings.empty()) {
    const auto comma = std::min(encodings.find(','), encodings.size());
    auto one = encodings.substr(0, comma);
    encodings.remove_prefix(std::min(comma + 1, encodings.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (one.empty() || one == "aws-chunked") continue;
    kept.append(kept.empty() ? "" : ",").append(one);
  }
  return kept;
}

struct Range {
  Bytes first = 0, last = 0;  // both inclusive
};
enum class RangeKind { whole, part, unsatisfiable };

// A header that S3 does not understand (several ranges, other units) is ignored, and the whole object is sent.
RangeKind parse_range(std::string_view text, Bytes size, Range& range) {
  if (!text.starts_with("bytes=") || text.find(',') != std::string_view::npos) return RangeKind::whole;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return RangeKind::whole;
  const auto number = [](std::string_view digits) -> std::optional<Bytes> {
    Bytes value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (end != digits.data() + digits.size() || value < 0 || digits.starts_with('-')) return {};
    // Beyond the end of any object.
    if (error == std::errc::result_out_of_range) return std::numeric_limits<Bytes>::max();
    if (error != std::errc()) return {};
    return value;
  };
  const auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
  if (dash == 0) {  // "-N": the last N bytes
    if (!last) return RangeKind::whole;
    if (*last == 0 || size == 0) return RangeKind::unsatisfiable;
    range = {std::max<Bytes>(0, size - *last), size - 1};
    return RangeKind::part;
  }
  const bool open_end = dash + 1 == text.size();
  if (!first || (!last && !open_end) || (last && *last < *first)) return RangeKind::whole;
  if (*first >= size) return RangeKind::unsatisfiable;
  range = {*first, open_end ? size - 1 : std::min(*last, size - 1)};
  return RangeKind::part;
}

// Returns the bytes of a part; parts count from 1. An object that was put as a whole is its only part.
std::optional<Range> part_range(std::string_view digits, const StoredObject& object) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const std::size_t parts = std::max<std::size_t>(object.part_sizes.size(), 1);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 1 || number > parts) return {};
  if (object.part_sizes.empty()) return Range{0, object.size - 1};
  Bytes first = 0;
  for (std::size_t i = 0; i + 1 < number; ++i) first += object.part_sizes[i];
  return Range{first, first + object.part_sizes[number - 1] - 1};
}

Result<SharedBytes> read_whole(int descriptor, std::shared_ptr<std::byte[]> bytes, Bytes size) {
  for (Bytes done = 0; done < size;) {
    const auto got = ::pread(descriptor, bytes.get() + done, static_cast<std::size_t>(size - done), done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::corrupt, "an object's file ended or failed while being read");
    done += got;
  }
  return SharedBytes(std::move(bytes));
}

}  // namespace

std::string quoted_etag(const std::string& etag) {
  return "\"" + etag + "\"";
}

tl::expected<ObjectInfo, Refusal> described_object(const HttpRequest& request, const std::string& key) {
  if (!valid_utf8(key)) return refuse(400, "InvalidURI", "The key is not UTF-8.");
  ObjectInfo info;
  info.key = key;
  info.content_type = request.header("content-type");
  std::size_t size = 0;
  for (const auto& [name, value] : request.headers) {
    if (std::find(kKeptHeaders.begin(), kKeptHeaders.end(), name) != kKeptHeaders.end()) {
      std::string kept = name == "content-encoding" ? without_chunked(value) : value;
      if (!kept.empty()) info.metadata.emplace_back(name, std::move(kept));
    }
    if (!name.starts_with(kMetadataPrefix)) continue;
    size += name.size() - kMetadataPrefix.size() + value.size();
    const auto same = std::find_if(info.metadata.begin(), info.metadata.end(),
                                   [&, &wanted = name](const auto& field) { return field.first == wanted; });
    if (same != info.metadata.end())
      same->second += "," + value;
    else
      info.metadata.emplace_back(name, value);
  }
  if (size > kMostMetadata)
    return refuse(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size");
  return info;
}

std::optional<Refusal> S3Requests::precondition(const Call& call) const {
  return judge_write(call.request, folder_->find(call.bucket, call.key).get());
}

asio::awaitable<S3Requests::Answer> S3Requests::put_object(Call& call) {
  call.kind = Kind::put;
  auto info = described_object(call.request, call.key);
  if (!info) co_return tl::unexpected<Refusal>(info.error());
  // A client that sends "Expect: 100-continue" is refused before it uploads the body.
  if (call.request.has_header("expect")) {
    if (auto refusal = precondition(call)) {
      co_await put_latency(call);
      co_return tl::unexpected<Refusal>(*refusal);
    }
  }
  auto payload = co_await receive_payload(call.request, *folder_, file_threads_, *budget_);
  if (!payload) co_return tl::unexpected<Refusal>(payload.error());
  call.usage.uploaded += payload->size;
  co_await put_latency(call);

  // Nothing is awaited between this check and the publication, so no other request can come between.
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  info->size = payload->size;
  info->crc32c = payload->crc32c;
  info->etag = payload->etag;
  info->checksum = std::move(payload->checksum);
  info->modified = unix_time();
  if (auto sealed = payload->file->seal(*info); !sealed)
    co_return tl::unexpected<Refusal>(storage_refusal(sealed.error()));
  auto object = folder_->publish(call.bucket, *payload->file, std::move(*info), std::move(payload->bytes));
  if (!object) co_return tl::unexpected<Refusal>(storage_refusal(object.error()));
  HttpResponse response;
  response.headers.emplace_back("ETag", quoted_etag((*object)->etag));
  if ((*object)->checksum) append_checksum(response.headers, *(*object)->checksum);
  co_return response;
}

asio::awaitable<tl::expected<void, Refusal>> S3Requests::attach_content(Call& call, SharedObject object, Bytes first,
                                                                        Bytes size, HttpResponse& response) {
  if (auto bytes = folder_->cache().get(object->id)) {
    response.body = MemoryRange{std::move(bytes), static_cast<std::size_t>(first), static_cast<std::size_t>(size)};
    co_return tl::expected<void, Refusal>();
  }
  if (call.request.method == "HEAD") {  // only the length is sent
    response.body = FileRange{nullptr, 0, size};
    co_return tl::expected<void, Refusal>();
  }
  const auto path = folder_->file_of(call.bucket, call.key);
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (opened < 0) {
    const int error = errno;
    const bool too_many = error == EMFILE || error == ENFILE;
    co_return refuse(too_many ? 503 : 500, too_many ? "SlowDown" : "InternalError",
                     fmt::format("{}: cannot be read: {}", path.string(), std::strerror(error)));
  }
  std::shared_ptr<const int> descriptor(new int(opened), [](const int* held) {
    ::close(*held);
    delete held;
  });
  auto memory = size == object->size && folder_->cache().takes(size) ? budget_->allocate(size) : nullptr;
  if (!memory) {
    response.body = FileRange{std::move(descriptor), first, size};
    co_return tl::expected<void, Refusal>();
  }
  auto read = [&] { return read_whole(*descriptor, std::move(memory), size); };
  std::optional<Result<SharedBytes>> bytes;
  if (size <= kInline) {
    bytes = read();
  } else {
    bytes = co_await run_on(file_threads_, read);
  }
  if (!*bytes) co_return refuse(500, "InternalError", describe((*bytes).error()));
  // The object may have been replaced or removed meanwhile.
  if (folder_->has_bucket(call.bucket) && folder_->find(call.bucket, call.key) == object)
    folder_->cache().put(object->id, **bytes, size);
  response.body = MemoryRange{std::move(**bytes), 0, static_cast<std::size_t>(size)};
  co_return tl::expected<void, Refusal>();
}

asio::awaitable<S3Requests::Answer> S3Requests::get_object(Call& call) {
  const auto& request = call.request;
  co_await get_latency(call);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  const auto object = folder_->find(call.bucket, call.key);
  if (!object) co_return refuse(404, "NoSuchKey", "The specified key does not exist.");
  HttpResponse response;
  switch (judge_read(request, *object)) {
    case ReadVerdict::failed:
      co_return tl::unexpected<Refusal>(precondition_failed());
    case ReadVerdict::not_modified:
      response.status = 304;
      response.headers.emplace_back("ETag", quoted_etag(object->etag));
      response.headers.emplace_back("Last-Modified", http_time(object->modified));
      co_return response;
    case ReadVerdict::send:
      break;
  }
  Range range{0, object->size - 1};
  const bool of_part = request.parameter("partNumber").has_value();
  if (of_part && request.has_header("range"))
    co_return refuse(400, "InvalidRequest", "Cannot specify both Range header and partNumber query parameter");
  RangeKind kind = RangeKind::whole;
  if (of_part) {
    const auto part = part_range(*request.parameter("partNumber"), *object);
    if (!part) co_return refuse(416, "InvalidPartNumber", "The requested partnumber is not satisfiable");
    range = *part;
    kind = RangeKind::part;
    if (!object->part_sizes.empty())
      response.headers.emplace_back("x-amz-mp-parts-count", std::to_string(object->part_sizes.size()));
  } else if (range_applies(request, *object)) {
    kind = parse_range(request.header("range"), object->size, range);
  }
  switch (kind) {
    case RangeKind::unsatisfiable:
      co_return refuse(
          416, "InvalidRange",
          fmt::format("The requested range is not satisfiable: {} of {} bytes", request.header("range"), object->size));
    case RangeKind::part:
      response.status = 206;
      if (object->size > 0)
        response.headers.emplace_back("Content-Range",
                                      fmt::format("bytes {}-{}/{}", range.first, range.last, object->size));
      break;
    case RangeKind::whole:
      if (request.header("x-amz-checksum-mode") != "ENABLED") break;
      if (object->checksum) {
        append_checksum(response.headers, *object->checksum);
      } else if (object->has_crc32c) {
        append_checksum(response.headers, {"crc32c", crc32c_header(object->crc32c), std::string(kFullObject)});
      }
      break;
  }
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", quoted_etag(object->etag));
  response.headers.emplace_back("Last-Modified", http_time(object->modified));
  NamedValues described = object->metadata;
  described.emplace_back("content-type", object->content_type.empty() ? "binary/octet-stream" : object->content_type);
  for (const auto& [name, value] : described) {
    const auto other = request.parameter("response-" + name);
    response.headers.emplace_back(name, other ? std::string(*other) : value);
  }
  for (const auto& [name, value] : request.query) {  // these replace headers of the object in the answer
    if (!name.starts_with(kOverride)) continue;
    const std::string header = name.substr(kOverride.size());
    if (std::none_of(described.begin(), described.end(), [&](const auto& field) { return field.first == header; }))
      response.headers.emplace_back(header, value);
  }
  if (auto attached = co_await attach_content(call, object, range.first, range.last - range.first + 1, response);
      !attached)
    co_return tl::unexpected<Refusal>(attached.error());
  response.sent = [&usage = call.usage](Bytes bytes) { usage.downloaded += bytes; };
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::delete_object(Call& call) {
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto refusal = judge_delete(call.request, folder_->find(call.bucket, call.key).get()))
    co_return tl::unexpected<Refusal>(std::move(*refusal));
  if (auto removed = folder_->remove(call.bucket, call.key); !removed)
    co_return tl::unexpected<Refusal>(storage_refusal(removed.error()));
  co_return empty_response(204);
}

}  // namespace funcpipe
