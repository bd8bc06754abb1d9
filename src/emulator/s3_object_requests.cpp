// The operations on one object: put, get, head, delete, and uploads in parts.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/clock.h"
#include "emulator/file_work.h"
#include "emulator/s3_requests.h"
#include "emulator/s3_xml.h"
#include "store/digest.h"

namespace funcpipe {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::size_t kMostMetadata = 2048;
constexpr Bytes kLargestDocument = 4 * kMiB;
constexpr Bytes kInline = kMiB;  // up to here waiting for a thread, on a busy machine, costs more than the read

std::string quoted_etag(const std::string& etag) {
  return "\"" + etag + "\"";
}

std::string without_quotes(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

// U+0000..U+10FFFF in the shortest form, no surrogates.
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

tl::expected<ObjectInfo, Refusal> described_object(const HttpRequest& request, const std::string& key) {
  if (!valid_utf8(key)) return refuse(400, "InvalidURI", "The key is not UTF-8.");
  ObjectInfo info;
  info.key = key;
  info.content_type = request.header("content-type");
  std::size_t size = 0;
  for (const auto& [name, value] : request.headers) {
    if (!name.starts_with(kMetadataPrefix)) continue;
    size += name.size() - kMetadataPrefix.size() + value.size();
    info.metadata.emplace_back(name, value);
  }
  if (size > kMostMetadata)
    return refuse(400, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size");
  return info;
}

struct Range {
  Bytes first = 0, last = 0;  // both inside
};
enum class RangeKind { whole, part, unsatisfiable };

// A header S3 does not understand (several ranges, other units) is ignored: the whole object.
RangeKind parse_range(std::string_view text, Bytes size, Range& range) {
  if (!text.starts_with("bytes=") || text.find(',') != std::string_view::npos) return RangeKind::whole;
  text.remove_prefix(6);
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return RangeKind::whole;
  const auto number = [](std::string_view digits) -> std::optional<Bytes> {
    Bytes value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) return {};
    return value;
  };
  const auto first = number(text.substr(0, dash)), last = number(text.substr(dash + 1));
  if (dash == 0) {  // the last so many bytes
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

Result<SharedBytes> read_whole(int descriptor, Bytes size) {
  auto bytes = std::make_shared_for_overwrite<std::byte[]>(static_cast<std::size_t>(std::max<Bytes>(size, 1)));
  for (Bytes done = 0; done < size;) {
    const auto got = ::pread(descriptor, bytes.get() + done, static_cast<std::size_t>(size - done), done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorCode::corrupt, "an object's file ended or failed while being read");
    done += got;
  }
  return SharedBytes(std::move(bytes));
}

}  // namespace

std::optional<Refusal> S3Requests::precondition(const Call& call) const {
  const auto object = folder_->find(call.bucket, call.key);
  if (const auto unless = call.request.header("if-none-match"); !unless.empty() && object) {
    if (unless == "*" || without_quotes(unless) == object->etag)
      return Refusal{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"};
  }
  if (const auto only = call.request.header("if-match"); !only.empty()) {
    if (!object) return Refusal{404, "NoSuchKey", "The specified key does not exist."};
    if (only != "*" && without_quotes(only) != object->etag)
      return Refusal{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold"};
  }
  return {};
}

asio::awaitable<S3Requests::Answer> S3Requests::put_object(Call& call) {
  call.kind = Kind::put;
  auto info = described_object(call.request, call.key);
  if (!info) co_return tl::unexpected<Refusal>(info.error());
  // A client that asks first is spared the upload.
  if (call.request.has_header("expect")) {
    if (auto refusal = precondition(call)) {
      co_await put_latency(call);
      co_return tl::unexpected<Refusal>(*refusal);
    }
  }
  auto payload = co_await receive_payload(call.request, *folder_, file_threads_);
  if (!payload) co_return tl::unexpected<Refusal>(payload.error());
  call.usage.uploaded += payload->size;
  co_await put_latency(call);

  // Nothing is awaited from the check to the publication: no other request comes between.
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  info->size = payload->size;
  info->crc32c = payload->crc32c;
  info->etag = payload->etag;
  info->modified = unix_time();
  if (auto sealed = payload->file->seal(*info); !sealed)
    co_return tl::unexpected<Refusal>(storage_refusal(sealed.error()));
  auto object = folder_->publish(call.bucket, *payload->file, std::move(*info), std::move(payload->bytes));
  if (!object) co_return tl::unexpected<Refusal>(storage_refusal(object.error()));
  HttpResponse response;
  response.headers.emplace_back("ETag", quoted_etag((*object)->etag));
  for (const auto& [name, value] : call.request.headers)
    if (name.starts_with("x-amz-checksum-")) response.headers.emplace_back(name, value);  // as verified
  co_return response;
}

asio::awaitable<tl::expected<void, Refusal>> S3Requests::attach_content(Call& call, SharedObject object, Bytes first,
                                                                        Bytes size, HttpResponse& response) {
  if (auto bytes = folder_->cache().get(object->id)) {
    response.body = MemoryRange{std::move(bytes), static_cast<std::size_t>(first), static_cast<std::size_t>(size)};
    co_return tl::expected<void, Refusal>();
  }
  if (call.request.method == "HEAD") {  // only the length is wanted
    response.body = FileRange{nullptr, 0, size};
    co_return tl::expected<void, Refusal>();
  }
  const auto path = folder_->file_of(call.bucket, call.key);
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0)
    co_return refuse(500, "InternalError", fmt::format("{}: cannot be read: {}", path.string(), std::strerror(errno)));
  std::shared_ptr<const int> descriptor(new int(opened), [](const int* held) {
    ::close(*held);
    delete held;
  });
  if (size != object->size || !folder_->cache().takes(size)) {
    response.body = FileRange{std::move(descriptor), first, size};
    co_return tl::expected<void, Refusal>();
  }
  const auto read = [&] { return read_whole(*descriptor, size); };
  std::optional<Result<SharedBytes>> bytes;
  if (size <= kInline) {
    bytes = read();
  } else {
    bytes = co_await run_on(file_threads_, read);
  }
  if (!*bytes) co_return refuse(500, "InternalError", describe((*bytes).error()));
  // It may have been replaced or removed meanwhile.
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
  if (auto refusal = precondition(call)) {
    if (refusal->status == 412 && !request.has_header("if-match")) {
      HttpResponse unchanged;
      unchanged.status = 304;
      unchanged.headers.emplace_back("ETag", quoted_etag(object->etag));
      co_return unchanged;
    }
    co_return tl::unexpected<Refusal>(*refusal);
  }
  HttpResponse response;
  Range range{0, object->size - 1};
  switch (parse_range(request.header("range"), object->size, range)) {
    case RangeKind::unsatisfiable:
      co_return refuse(
          416, "InvalidRange",
          fmt::format("The requested range is not satisfiable: {} of {} bytes", request.header("range"), object->size));
    case RangeKind::part:
      response.status = 206;
      response.headers.emplace_back("Content-Range",
                                    fmt::format("bytes {}-{}/{}", range.first, range.last, object->size));
      break;
    case RangeKind::whole:
      if (request.header("x-amz-checksum-mode") == "ENABLED" && object->has_crc32c) {
        const std::uint32_t crc = object->crc32c;
        const std::string raw{static_cast<char>(crc >> 24), static_cast<char>(crc >> 16), static_cast<char>(crc >> 8),
                              static_cast<char>(crc)};
        response.headers.emplace_back("x-amz-checksum-crc32c", base64(raw));
        response.headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
      }
      break;
  }
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("ETag", quoted_etag(object->etag));
  response.headers.emplace_back("Last-Modified", http_time(object->modified));
  response.headers.emplace_back("Content-Type",
                                object->content_type.empty() ? "binary/octet-stream" : object->content_type);
  for (const auto& [name, value] : object->metadata) response.headers.emplace_back(name, value);
  if (auto attached = co_await attach_content(call, object, range.first, range.last - range.first + 1, response);
      !attached)
    co_return tl::unexpected<Refusal>(attached.error());
  response.sent = [&usage = call.usage](Bytes bytes) { usage.downloaded += bytes; };
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::delete_object(Call& call) {
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto removed = folder_->remove(call.bucket, call.key); !removed)
    co_return tl::unexpected<Refusal>(storage_refusal(removed.error()));
  co_return empty_response(204);
}

asio::awaitable<S3Requests::Answer> S3Requests::create_upload(Call& call) {
  auto info = described_object(call.request, call.key);
  co_await put_latency(call);
  if (!info) co_return tl::unexpected<Refusal>(info.error());
  const auto id = uploads_.create(call.bucket, std::move(*info));
  co_return xml_response(s3_document(
      "InitiateMultipartUploadResult",
      fmt::format("<Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId>", call.bucket, xml_escape(call.key), id)));
}

asio::awaitable<S3Requests::Answer> S3Requests::upload_part(Call& call) {
  call.kind = Kind::put;
  const std::string id(*call.request.parameter("uploadId"));
  const std::string digits(call.request.parameter("partNumber").value_or(""));
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (auto there = uploads_.there(id, call.bucket, call.key); !there) co_return tl::unexpected<Refusal>(there.error());
  auto payload = co_await receive_payload(call.request, *folder_, file_threads_, /*part=*/true);
  if (!payload) co_return tl::unexpected<Refusal>(payload.error());
  call.usage.uploaded += payload->size;
  co_await put_latency(call);
  HttpResponse response;
  response.headers.emplace_back("ETag", quoted_etag(payload->etag));
  if (auto added = uploads_.add(id, number, std::move(*payload)); !added)
    co_return tl::unexpected<Refusal>(added.error());
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::complete_upload(Call& call) {
  call.kind = Kind::put;
  const std::string id(*call.request.parameter("uploadId"));
  auto document = co_await receive_document(call.request, kLargestDocument);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  co_await put_latency(call);
  if (auto there = uploads_.there(id, call.bucket, call.key); !there) co_return tl::unexpected<Refusal>(there.error());
  auto parts = parse_completed_parts(*document);
  if (!parts) co_return refuse(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.");
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  auto whole = co_await uploads_.complete(id, std::move(*parts), *folder_, file_threads_, unix_time());
  if (!whole) co_return tl::unexpected<Refusal>(whole.error());
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  auto object = folder_->publish(call.bucket, *whole->file, std::move(whole->info), nullptr);
  if (!object) co_return tl::unexpected<Refusal>(storage_refusal(object.error()));
  co_return xml_response(s3_document("CompleteMultipartUploadResult",
                                     fmt::format("<Bucket>{}</Bucket><Key>{}</Key><ETag>&quot;{}&quot;</ETag>",
                                                 call.bucket, xml_escape(call.key), (*object)->etag)));
}

asio::awaitable<S3Requests::Answer> S3Requests::abort_upload(Call& call) {
  co_await put_latency(call, Kind::remove);
  const std::string id(*call.request.parameter("uploadId"));
  if (auto there = uploads_.there(id, call.bucket, call.key); !there) co_return tl::unexpected<Refusal>(there.error());
  uploads_.abort(id);
  co_return empty_response(204);
}

}  // namespace funcpipe
