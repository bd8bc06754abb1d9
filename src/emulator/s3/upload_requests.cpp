// The operations on uploads in parts.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "emulator/s3/checksums.h"
#include "emulator/s3/conditions.h"
#include "emulator/s3/requests.h"
#include "emulator/s3/xml.h"

namespace funcpipe {
namespace {

constexpr Bytes kLargestDocument = 4 * kMiB;

// Parses a number; nullopt if the text is none.
std::optional<int> number_of(std::string_view digits) {
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number < 0) return {};
  return number;
}

// Reads what CompleteMultipartUpload claims about the whole object.
tl::expected<CompletionClaim, Refusal> completion_claim(const HttpRequest& request) {
  CompletionClaim claim;
  claim.type = request.header("x-amz-checksum-type");
  for (const auto& algorithm : checksum_algorithms()) {
    const auto value = request.header(fmt::format("x-amz-checksum-{}", algorithm.name));
    if (value.empty()) continue;
    if (claim.algorithm)
      return refuse(400, "InvalidRequest",
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    claim.algorithm = &algorithm;
    claim.value = value;
  }
  if (const auto named = request.header("x-amz-checksum-algorithm");
      !named.empty() && find_checksum(named) != claim.algorithm)
    return refuse(400, "InvalidRequest", "x-amz-checksum-algorithm names no checksum of this request");
  if (const auto size = request.header("x-amz-mp-object-size"); !size.empty()) {
    Bytes bytes = -1;
    const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), bytes);
    if (error != std::errc() || end != size.data() + size.size() || bytes < 0)
      return refuse(400, "InvalidRequest", "Value for x-amz-mp-object-size header is invalid.");
    claim.size = bytes;
  }
  return claim;
}

std::string completed_xml(const std::string& bucket, const std::string& key, const std::string& etag,
                          const std::optional<StoredChecksum>& checksum) {
  std::string xml =
      fmt::format("<Bucket>{}</Bucket><Key>{}</Key><ETag>&quot;{}&quot;</ETag>", bucket, xml_escape(key), etag);
  if (checksum) {
    const auto element = find_checksum(checksum->algorithm)->element;
    xml += fmt::format("<{0}>{1}</{0}><ChecksumType>{2}</ChecksumType>", element, checksum->value, checksum->type);
  }
  return s3_document("CompleteMultipartUploadResult", xml);
}

}  // namespace

asio::awaitable<S3Requests::Answer> S3Requests::create_upload(Call& call) {
  auto info = described_object(call.request, call.key);
  const auto checksum = read_upload_checksum(call.request);
  co_await put_latency(call);
  if (!info) co_return tl::unexpected<Refusal>(info.error());
  if (!checksum) co_return tl::unexpected<Refusal>(checksum.error());
  const auto id = uploads_.create(call.bucket, std::move(*info), *checksum);
  if (!id) co_return tl::unexpected<Refusal>(id.error());
  auto response = xml_response(s3_document(
      "InitiateMultipartUploadResult",
      fmt::format("<Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId>", call.bucket, xml_escape(call.key), *id)));
  if (checksum->algorithm) {
    response.headers.emplace_back("x-amz-checksum-algorithm", checksum->algorithm->upper);
    response.headers.emplace_back("x-amz-checksum-type", checksum->type);
  }
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::upload_part(Call& call) {
  call.kind = Kind::put;
  const std::string id(*call.request.parameter("uploadId"));
  const auto number = number_of(*call.request.parameter("partNumber"));
  if (!number || *number < 1 || *number > kMostParts)
    co_return refuse(400, "InvalidArgument", fmt::format("Part number must be an integer from 1 to {}", kMostParts));
  if (auto refusal = judge_part(call.request)) co_return tl::unexpected<Refusal>(std::move(*refusal));
  const auto* upload = uploads_.find(id, call.bucket, call.key);
  if (!upload) co_return tl::unexpected<Refusal>(no_such_upload());
  const PayloadOptions options{.part = true, .algorithm = upload->checksum.algorithm};
  auto payload = co_await receive_payload(call.request, *folder_, file_threads_, *budget_, options);
  if (!payload) co_return tl::unexpected<Refusal>(payload.error());
  call.usage.uploaded += payload->size;
  co_await put_latency(call);
  HttpResponse response;
  response.headers.emplace_back("ETag", quoted_etag(payload->etag));
  if (payload->checksum)
    response.headers.emplace_back("x-amz-checksum-" + payload->checksum->algorithm, payload->checksum->value);
  if (auto added = uploads_.add(id, *number, std::move(*payload), unix_time(), *folder_); !added)
    co_return tl::unexpected<Refusal>(added.error());
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::complete_upload(Call& call) {
  call.kind = Kind::put;
  const std::string id(*call.request.parameter("uploadId"));
  // The checksum headers of this request are about the object, not about this document.
  auto document = co_await receive_document(call.request, kLargestDocument, /*of_body=*/false);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  const auto claim = completion_claim(call.request);
  if (!claim) co_return tl::unexpected<Refusal>(claim.error());
  co_await put_latency(call);
  // The first answer was lost, so it is sent again.
  if (const auto* done = uploads_.completed(id, call.bucket, call.key))
    co_return xml_response(completed_xml(call.bucket, call.key, done->etag, done->checksum));
  if (!uploads_.find(id, call.bucket, call.key)) co_return tl::unexpected<Refusal>(no_such_upload());
  auto parts = parse_completed_parts(*document);
  if (!parts) co_return refuse(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.");
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  auto whole = co_await uploads_.join(id, std::move(*parts), *claim, *folder_, file_threads_, unix_time());
  if (!whole) co_return tl::unexpected<Refusal>(whole.error());
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (auto refusal = precondition(call)) co_return tl::unexpected<Refusal>(*refusal);
  auto object = folder_->publish(call.bucket, *whole->file, std::move(whole->info), nullptr);
  if (!object) co_return tl::unexpected<Refusal>(storage_refusal(object.error()));
  uploads_.finish(id, **object);
  co_return xml_response(completed_xml(call.bucket, call.key, (*object)->etag, (*object)->checksum));
}

asio::awaitable<S3Requests::Answer> S3Requests::abort_upload(Call& call) {
  co_await put_latency(call, Kind::remove);
  const std::string id(*call.request.parameter("uploadId"));
  if (!uploads_.find(id, call.bucket, call.key)) co_return tl::unexpected<Refusal>(no_such_upload());
  uploads_.abort(id);
  co_return empty_response(204);
}

asio::awaitable<S3Requests::Answer> S3Requests::list_parts(Call& call) {
  constexpr int kMostListed = 1000;
  co_await get_latency(call, Kind::list);
  const std::string id(*call.request.parameter("uploadId"));
  const auto most = number_of(call.request.parameter("max-parts").value_or("1000"));
  const auto marker = number_of(call.request.parameter("part-number-marker").value_or("0"));
  if (!most || !marker)
    co_return refuse(400, "InvalidArgument", "max-parts and part-number-marker must be numbers from 0 on");
  const auto* upload = uploads_.find(id, call.bucket, call.key);
  if (!upload) co_return tl::unexpected<Refusal>(no_such_upload());

  const int limit = std::min(*most, kMostListed);
  std::string parts;
  int listed = 0, last = 0;
  auto at = upload->parts.upper_bound(*marker);
  for (; at != upload->parts.end() && listed < limit; ++at, ++listed) {
    const auto& [number, part] = *at;
    last = number;
    parts += fmt::format(
        "<Part><PartNumber>{}</PartNumber><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size>",
        number, xml_time(part.modified), part.etag, part.size);
    if (part.checksum)
      parts += fmt::format("<{0}>{1}</{0}>", find_checksum(part.checksum->algorithm)->element, part.checksum->value);
    parts += "</Part>";
  }
  constexpr std::string_view kOwner = "<ID>funcpipe</ID><DisplayName>funcpipe</DisplayName>";
  std::string xml = fmt::format(
      "<Bucket>{}</Bucket><Key>{}</Key><UploadId>{}</UploadId><Initiator>{}</Initiator><Owner>{}</Owner>"
      "<StorageClass>STANDARD</StorageClass><PartNumberMarker>{}</PartNumberMarker>"
      "<NextPartNumberMarker>{}</NextPartNumberMarker><MaxParts>{}</MaxParts><IsTruncated>{}</IsTruncated>",
      call.bucket, xml_escape(call.key), id, kOwner, kOwner, *marker, last, limit,
      limit > 0 && at != upload->parts.end());
  if (upload->checksum.algorithm)
    xml += fmt::format("<ChecksumAlgorithm>{}</ChecksumAlgorithm><ChecksumType>{}</ChecksumType>",
                       upload->checksum.algorithm->upper, upload->checksum.type);
  co_return xml_response(s3_document("ListPartsResult", xml + parts));
}

}  // namespace funcpipe
