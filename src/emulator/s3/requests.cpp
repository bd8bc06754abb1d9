#include "emulator/s3/requests.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

#include "base/clock.h"
#include "emulator/bucket_name.h"
#include "emulator/s3/conditions.h"
#include "emulator/s3/listing.h"
#include "emulator/s3/payload.h"
#include "emulator/s3/xml.h"
#include "store/uri.h"

namespace funcpipe {
namespace {

constexpr Bytes kLargestDocument = 4 * kMiB;
constexpr std::size_t kMostDeletes = 1000;
constexpr std::size_t kDeletesAtOnce = 32;

asio::awaitable<void> wait(Seconds seconds) {
  if (seconds <= 0) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor);
  timer.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  co_await timer.async_wait(asio::use_awaitable);
}

// True if the body comes with a digest that S3 accepts for DeleteObjects.
bool promises_digest(const HttpRequest& request) {
  return std::any_of(request.headers.begin(), request.headers.end(), [](const auto& header) {
    const std::string& name = header.first;
    return name == "content-md5" || name == "x-amz-trailer" || name == "x-amz-sdk-checksum-algorithm" ||
           name.starts_with("x-amz-checksum-");
  });
}

// True for names such as "us-east-1" and "us-gov-west-1", and for "EU", which is older than that form.
bool names_region(std::string_view text) {
  if (text == "EU") return true;
  const auto all = [](std::string_view word, char first, char last) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [&](char c) { return c >= first && c <= last; });
  };
  std::size_t words = 0;
  while (true) {
    const auto dash = text.find('-');
    const auto word = text.substr(0, dash);
    if (dash == std::string_view::npos) return words >= 2 && word.size() <= 2 && all(word, '0', '9');
    if (!all(word, 'a', 'z') || (++words == 1 && (word.size() < 2 || word.size() > 4))) return false;
    text.remove_prefix(dash + 1);
  }
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
  auto answer = co_await admit(request);
  HttpResponse response;
  if (answer) {
    response = std::move(*answer);
  } else {
    const Refusal& refusal = answer.error();
    response = xml_response(error_xml({refusal.code, refusal.message, request.path, request_id, refusal.region}));
    response.status = refusal.status;
    // The answer to a HEAD request has no document, so a header names the region.
    if (!refusal.region.empty()) response.headers.emplace_back("x-amz-bucket-region", refusal.region);
  }
  response.headers.emplace_back("x-amz-request-id", request_id);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::admit(HttpRequest& request) {
  const std::string payload_hash(request.header("x-amz-content-sha256"));
  const auto account = authenticate(request, {"s3", region_}, payload_hash, table_, unix_time());
  if (!account) co_return tl::unexpected<Refusal>(account.error());
  if (payload_hash.empty() && !request.parameter("X-Amz-Signature"))
    co_return refuse(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
  take_presigned_headers(request);
  auto target = s3_target(request);
  if (!target) co_return tl::unexpected<Refusal>(std::move(target.error()));
  const auto operation = s3_operation(request, *target);
  if (!operation) co_return tl::unexpected<Refusal>(operation.error());
  if ((*account)->scope)
    if (auto refusal = judge_scope(*(*account)->scope, *operation, *target, request))
      co_return tl::unexpected<Refusal>(std::move(*refusal));

  Call call{request,    *account,  std::move(target->bucket),           std::move(target->key),
            *operation, Kind::get, bill_.by_function[(*account)->label]};
  request.pace(call.account->uplink);
  auto answer = co_await route(call);
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
  if (answer) answer->downlink = call.account->downlink;
  co_return answer;
}

asio::awaitable<S3Requests::Answer> S3Requests::route(Call& call) {
  if (!call.key.empty()) {
    if (auto there = bucket_there(call); !there) {
      // As on S3, an upload to a bucket that does not exist is billed as a PUT.
      if (call.request.method == "PUT" || call.request.method == "POST") call.kind = Kind::put;
      if (call.request.method == "DELETE") call.kind = Kind::remove;
      co_return tl::unexpected<Refusal>(std::move(there.error()));
    }
  }
  switch (call.operation) {
    case S3Operation::list_buckets:
      co_return co_await list_buckets(call);
    case S3Operation::create_bucket:
      co_return co_await create_bucket(call);
    case S3Operation::head_bucket:
      co_return co_await head_bucket(call);
    case S3Operation::delete_bucket:
      co_return co_await delete_bucket(call);
    case S3Operation::bucket_location:
      co_return co_await bucket_location(call);
    case S3Operation::list:
      co_return co_await list(call);
    case S3Operation::delete_objects:
      co_return co_await delete_objects(call);
    case S3Operation::put_object:
      co_return co_await put_object(call);
    case S3Operation::get_object:
      co_return co_await get_object(call);
    case S3Operation::delete_object:
      co_return co_await delete_object(call);
    case S3Operation::create_upload:
      co_return co_await create_upload(call);
    case S3Operation::upload_part:
      co_return co_await upload_part(call);
    case S3Operation::complete_upload:
      co_return co_await complete_upload(call);
    case S3Operation::abort_upload:
      co_return co_await abort_upload(call);
    case S3Operation::list_parts:
      co_return co_await list_parts(call);
  }
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
  if (reserved_bucket_name(call.bucket))
    co_return refuse(400, "InvalidBucketName", "The specified bucket is not valid.");
  auto document = co_await receive_document(call.request, kLargestDocument);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  auto location = parse_location(*document);
  if (!location)
    co_return refuse(400, "MalformedXML", "The XML you provided asks for more than a location, or is not well-formed.");
  if (!location->empty() && (location->size() > 64 || !names_region(*location)))
    co_return refuse(400, "InvalidLocationConstraint", "The specified location-constraint is not valid");
  if (*location == region_) location->clear();
  co_await put_latency(call);
  if (folder_->has_bucket(call.bucket))
    co_return refuse(409, "BucketAlreadyOwnedByYou",
                     "Your previous request to create the named bucket succeeded and you already own it.");
  if (auto created = folder_->create_bucket(call.bucket, *location); !created)
    co_return tl::unexpected<Refusal>(storage_refusal(created.error()));
  auto response = empty_response(200);
  response.headers.emplace_back("Location", "/" + call.bucket);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::head_bucket(Call& call) {
  co_await get_latency(call);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  auto response = empty_response(200);
  const std::string& location = folder_->location(call.bucket);
  response.headers.emplace_back("x-amz-bucket-region", location.empty() ? region_ : location);
  co_return response;
}

asio::awaitable<S3Requests::Answer> S3Requests::delete_bucket(Call& call) {
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  if (!folder_->objects(call.bucket).empty())
    co_return refuse(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
  if (auto removed = folder_->remove_bucket(call.bucket); !removed) {
    if (removed.error().code == ErrorCode::already_exists)
      co_return refuse(409, "BucketNotEmpty", describe(removed.error()));
    co_return tl::unexpected<Refusal>(storage_refusal(removed.error()));
  }
  uploads_.forget_bucket(call.bucket);
  co_return empty_response(204);
}

asio::awaitable<S3Requests::Answer> S3Requests::bucket_location(Call& call) {
  co_await get_latency(call);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  const std::string& location = folder_->location(call.bucket);
  const std::string& told = location.empty() ? region_ : location;
  co_return xml_response(s3_document("LocationConstraint", told == "us-east-1" ? "" : told));
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
  if (!promises_digest(call.request))
    co_return refuse(400, "InvalidRequest", "Missing required header for this request: Content-MD5");
  auto document = co_await receive_document(call.request, kLargestDocument);
  if (!document) co_return tl::unexpected<Refusal>(document.error());
  co_await put_latency(call, Kind::remove);
  if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
  const auto deletion = parse_delete_request(*document);
  if (!deletion || deletion->objects.empty() || deletion->objects.size() > kMostDeletes)
    co_return refuse(400, "MalformedXML", "The XML you provided was not well-formed or did not validate.");
  for (const auto& object : deletion->objects)
    if (object.key.size() > kLongestKey) co_return refuse(400, "KeyTooLongError", "Your key is too long");
  std::string xml;
  std::size_t done = 0;
  for (const auto& object : deletion->objects) {
    // A disk may take a second for a thousand files: others are served in between.
    if (++done % kDeletesAtOnce == 0) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    if (auto there = bucket_there(call); !there) co_return tl::unexpected<Refusal>(there.error());
    std::optional<Refusal> refusal;
    const auto current = folder_->find(call.bucket, object.key);
    if (call.account->scope && !call.account->scope->holds(call.bucket, object.key)) {
      refusal = access_denied();
    } else if (!object.other.empty()) {
      refusal = Refusal{501, "NotImplemented", object.other + " is not served here."};
    } else if (!object.etag.empty() && current && !tag_matches(object.etag, *current)) {
      refusal = precondition_failed();
    } else if (auto removed = folder_->remove(call.bucket, object.key); !removed) {
      refusal = storage_refusal(removed.error());
    }
    if (refusal) {
      xml += fmt::format("<Error><Key>{}</Key><Code>{}</Code><Message>{}</Message></Error>", xml_escape(object.key),
                         refusal->code, xml_escape(refusal->message));
    } else if (!deletion->quiet) {
      xml += fmt::format("<Deleted><Key>{}</Key></Deleted>", xml_escape(object.key));
    }
  }
  co_return xml_response(s3_document("DeleteResult", xml));
}

}  // namespace funcpipe
