#include "emulator/s3_requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "base/clock.h"
#include "emulator/s3_listing.h"
#include "emulator/s3_payload.h"
#include "emulator/s3_xml.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr Bytes kLargestDocument = 4 * kMiB;
constexpr std::size_t kMostDeletes = 1000;

bool valid_bucket_name(std::string_view name) {
  const auto letter_or_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() >= 3 && name.size() <= 63 && letter_or_digit(name.front()) && letter_or_digit(name.back()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter_or_digit(c) || c == '-' || c == '.'; }) &&
         name.find("..") == std::string_view::npos;
}

asio::awaitable<void> wait(Seconds seconds) {
  if (seconds <= 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

HttpResponse xml_response(std::string xml) {
  HttpResponse response;
  response.headers.emplace_back("Content-Type", "application/xml");
  response.body = std::move(xml);
  return response;
}

HttpResponse empty_response(int status) {
  HttpResponse response;
  response.status = status;
  return response;
}

asio::awaitable<void> S3Requests::put_latency(Call& call, Kind kind) {
  call.kind = kind;
  co_await wait(call.account->latency.put);
}

asio::awaitable<void> S3Requests::get_latency(Call& call, Kind kind) {
  call.kind = kind;
  co_await wait(call.account->latency.get);
}

asio::awaitable<HttpResponse> S3Requests::answer(HttpRequest& request) {
  const auto request_id = fmt::format("{:016X}", ++last_request_);
  std::optional<Answer> answer;
  const auto payload_hash = request.header("x-amz-content-sha256");
  auto account = authenticate(request, "s3", payload_hash, table_, unix_time());
  if (!account) {
    answer = tl::unexpected<Refusal>(std::move(account.error()));
  } else if (payload_hash.empty() && !request.parameter("X-Amz-Signature")) {
    answer = refuse(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  } else {
    const auto slash = std::min(request.path.find('/', 1), request.path.size());
    Call call{request,
              *account,
              request.path.substr(1, slash - 1),
              request.path.substr(std::min(slash + 1, request.path.size())),
              Kind::get,
              bill_.by_function[(*account)->label]};
    request.pace(call.account->uplink);
    answer = co_await route(call);
    switch (call.kind) {
      case Kind::put:
        ++call.usage.put;
        break;
      case Kind::get:
        ++call.usage.get;
        break;
      case Kind::list:
        ++call.usage.list;
        break;
      case Kind::remove:
        ++call.usage.remove;
        break;
    }
    if (*answer) (*answer)->downlink = call.account->downlink;
  }
  HttpResponse response;
  if (*answer) {
    response = std::move(**answer);
  } else {
    const Refusal& refusal = answer->error();
    response = xml_response(error_xml({refusal.code, refusal.message, request.path, request_id}));
    response.status = refusal.status;
  }
  response.headers.emplace_back("x-amz-request-id", request_id);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::route(Call& call) {
  if (call.bucket.empty() && call.key.empty()) {
    if (call.request.method == "GET") co_return co_await list_buckets(call);
    co_return refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
  }
  if (!valid_bucket_name(call.bucket)) co_return refuse(400, "InvalidBucketName", "The specified bucket is not valid.");
  if (call.key.empty()) co_return co_await route_bucket(call);
  if (call.key.size() > 1024) co_return refuse(400, "KeyTooLongError", "Your key is too long");
  co_return co_await route_object(call);
}

asio::awaitable<S3Requests::Answer> S3Requests::route_bucket(Call& call) {
  const auto& request = call.request;
  static constexpr std::string_view kKnown[] = {"list-type",          "prefix",      "delimiter",     "max-keys",
                                                "continuation-token", "start-after", "encoding-type", "marker",
                                                "fetch-owner",        "location",    "delete"};
  for (const auto& [name, value] : request.query) {
    if (!name.starts_with("X-Amz-") && name != "x-id" &&
        std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown))
      co_return refuse(501, "NotImplemented", fmt::format("The parameter {} is not served here.", name));
  }
  if (request.method == "PUT") co_return co_await create_bucket(call);
  if (request.method == "HEAD") co_return co_await head_bucket(call);
  if (request.method == "DELETE") co_return co_await delete_bucket(call);
  if (request.method == "GET" && request.parameter("location")) co_return co_await bucket_location(call);
  if (request.method == "GET") co_return co_await list(call);
  if (request.method == "POST" && request.parameter("delete")) co_return co_await delete_objects(call);
  co_return refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
}

asio::awaitable<S3Requests::Answer> S3Requests::route_object(Call& call) {
  const auto& request = call.request;
  for (const auto& [name, value] : request.query) {
    if (!name.starts_with("X-Amz-") && name != "x-id" && name != "uploads" && name != "uploadId" &&
        name != "partNumber")
      co_return refuse(501, "NotImplemented", fmt::format("The parameter {} is not served here.", name));
  }
  if (auto there = bucket_there(call); !there) {
    // As real S3: an upload to a bucket that is not there is a PUT that was answered.
    if (request.method == "PUT" || request.method == "POST") call.kind = Kind::put;
    if (request.method == "DELETE") call.kind = Kind::remove;
    co_return tl::unexpected<Refusal>(std::move(there.error()));
  }
  const bool of_upload = request.parameter("uploadId").has_value();
  if (request.has_header("x-amz-copy-source"))
    co_return refuse(501, "NotImplemented", "Copying is not served here: download and upload.");
  if (request.method == "PUT" && of_upload) co_return co_await upload_part(call);
  if (request.method == "PUT") co_return co_await put_object(call);
  if (request.method == "GET" || request.method == "HEAD") co_return co_await get_object(call);
  if (request.method == "DELETE" && of_upload) co_return co_await abort_upload(call);
  if (request.method == "DELETE") co_return co_await delete_object(call);
  if (request.method == "POST" && request.parameter("uploads")) co_return co_await create_upload(call);
  if (request.method == "POST" && of_upload) co_return co_await complete_upload(call);
  co_return refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
}

tl::expected<void, Refusal> S3Requests::bucket_there(const Call& call) const {
  if (!folder_->has_bucket(call.bucket)) return refuse(404, "NoSuchBucket", "The specified bucket does not exist");
  return {};
}

asio::awaitable<S3Requests::Answer> S3Requests::list_buckets(Call& call) {
  co_await get_latency(call, Kind::list);
  std::string xml = "<Owner><ID>funcpipe</ID><DisplayName>funcpipe</DisplayName></Owner><Buckets>";
  for (const auto& [name, created] : folder_->buckets())
    xml += fmt::format("<Bucket><Name>{}</Name><CreationDate>{}</CreationDate></Bucket>", name, xml_time(created));
  co_return xml_response(s3_document("ListAllMyBucketsResult", xml + "</Buckets>"));
}

asio::awaitable<S3Requests::Answer> S3Requests::create_bucket(Call& call) {
  call.kind = Kind::put;
  auto document = co_await receive_document(call.request, kLargestDocument);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  co_await put_latency(call);
  if (folder_->has_bucket(call.bucket))
    co_return refuse(409, "BucketAlreadyOwnedByYou",
                     "Your previous request to create the named bucket succeeded and you already own it.");
  if (auto created = folder_->create_bucket(call.bucket); !created)
    co_return tl::unexpected<Refusal>(storage_refusal(created.error()));
  auto response = empty_response(200);
  response.headers.emplace_back("Location", "/" + call.bucket);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::head_bucket(Call& call) {
  co_await get_latency(call);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  auto response = empty_response(200);
  response.headers.emplace_back("x-amz-bucket-region", region_);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::delete_bucket(Call& call) {
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (!folder_->objects(call.bucket).empty())
    co_return refuse(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
  if (auto removed = folder_->remove_bucket(call.bucket); !removed)
    co_return tl::unexpected<Refusal>(storage_refusal(removed.error()));
  co_return empty_response(204);
}

asio::awaitable<S3Requests::Answer> S3Requests::bucket_location(Call& call) {
  co_await get_latency(call);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  co_return xml_response(s3_document("LocationConstraint", region_ == "us-east-1" ? "" : region_));
}

asio::awaitable<S3Requests::Answer> S3Requests::list(Call& call) {
  co_await get_latency(call, Kind::list);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  auto xml = list_objects(call.request, call.bucket, folder_->objects(call.bucket));
  if (!xml) co_return tl::unexpected<Refusal>(xml.error());
  co_return xml_response(std::move(*xml));
}

asio::awaitable<S3Requests::Answer> S3Requests::delete_objects(Call& call) {
  call.kind = Kind::remove;
  auto document = co_await receive_document(call.request, kLargestDocument);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  const auto order = parse_delete_order(*document);
  if (!order || order->keys.empty() || order->keys.size() > kMostDeletes)
    co_return refuse(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.");
  std::string xml;
  for (const auto& key : order->keys) {
    if (auto removed = folder_->remove(call.bucket, key); !removed) {
      xml += fmt::format("<Error><Key>{}</Key><Code>InternalError</Code><Message>{}</Message></Error>", xml_escape(key),
                         xml_escape(removed.error().message));
    } else if (!order->quiet) {
      xml += fmt::format("<Deleted><Key>{}</Key></Deleted>", xml_escape(key));
    }
  }
  co_return xml_response(s3_document("DeleteResult", xml));
}

}  // namespace funcpipe
