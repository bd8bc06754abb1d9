// One method for each S3 operation. Used within this folder only.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "catalog/bill.h"
#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/multipart.h"
#include "emulator/s3/object_folder.h"
#include "emulator/s3/operations.h"

namespace funcpipe {

class S3Requests {
 public:
  S3Requests(std::unique_ptr<ObjectFolder> folder, asio::thread_pool& file_threads, CredentialTable& table, Bill& bill,
             std::string region, std::shared_ptr<MemoryBudget> budget)
      : folder_(std::move(folder)),
        file_threads_(file_threads),
        table_(table),
        bill_(bill),
        region_(std::move(region)),
        budget_(std::move(budget)) {}

  asio::awaitable<HttpResponse> answer(HttpRequest& request);

 private:
  using Answer = tl::expected<HttpResponse, Refusal>;
  // How a request is billed.
  enum class Kind { put, get, list, remove };

  // A request whose sender is authenticated.
  struct Call {
    HttpRequest& request;
    SharedAccount account;
    std::string bucket, key;
    S3Operation operation;
    Kind kind = Kind::get;  // set by the operation
    Usage& usage;
  };

  asio::awaitable<Answer> admit(HttpRequest& request);
  asio::awaitable<Answer> route(Call& call);

  asio::awaitable<Answer> list_buckets(Call& call);
  asio::awaitable<Answer> create_bucket(Call& call);
  asio::awaitable<Answer> head_bucket(Call& call);
  asio::awaitable<Answer> delete_bucket(Call& call);
  asio::awaitable<Answer> bucket_location(Call& call);
  asio::awaitable<Answer> list(Call& call);
  asio::awaitable<Answer> delete_objects(Call& call);

  asio::awaitable<Answer> put_object(Call& call);
  asio::awaitable<Answer> get_object(Call& call);
  asio::awaitable<Answer> delete_object(Call& call);
  asio::awaitable<Answer> create_upload(Call& call);
  asio::awaitable<Answer> upload_part(Call& call);
  asio::awaitable<Answer> complete_upload(Call& call);
  asio::awaitable<Answer> abort_upload(Call& call);
  asio::awaitable<Answer> list_parts(Call& call);

  asio::awaitable<void> put_latency(Call& call, Kind kind = Kind::put);
  asio::awaitable<void> get_latency(Call& call, Kind kind = Kind::get);
  // Makes the object's bytes [first, first + size) the body of a response.
  asio::awaitable<tl::expected<void, Refusal>> attach_content(Call& call, SharedObject object, Bytes first, Bytes size,
                                                              HttpResponse& response);
  // Returns nullopt if the request's conditions allow the object to be written.
  std::optional<Refusal> precondition(const Call& call) const;
  tl::expected<void, Refusal> bucket_there(const Call& call) const;

  std::unique_ptr<ObjectFolder> folder_;
  asio::thread_pool& file_threads_;
  CredentialTable& table_;
  Bill& bill_;
  std::string region_;
  std::shared_ptr<MemoryBudget> budget_;  // shared with the memory of answers under way
  MultipartUploads uploads_;
  std::uint64_t last_request_ = 0;
};

// Reads the description of a new object from the request: key, content type, metadata and the headers that are sent
// with it.
tl::expected<ObjectInfo, Refusal> described_object(const HttpRequest& request, const std::string& key);
std::string quoted_etag(const std::string& etag);
HttpResponse xml_response(std::string xml);
HttpResponse empty_response(int status);

}  // namespace funcpipe
