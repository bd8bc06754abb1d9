// The S3 client. It speaks to AWS S3, the emulator, MinIO, Ceph and OSS (bucket in the host name).
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "store/credentials.h"
#include "store/http_client.h"
#include "store/retry.h"
#include "store/stoppable_store.h"
#include "store/store.h"

namespace funcpipe {

struct S3Options {
  Endpoint endpoint;
  std::string bucket;
  Credentials credentials;
  HttpLimits limits;
  RetryPolicy retry;
  // How long to go on while every try ends in a timeout, whatever the number of tries, if that is longer than
  // retry.total. It is for a service on this machine: one that is silent is a stopped process, and it continues where
  // it was.
  Seconds total_silent = 0;
};

// Counts requests as the service bills them: every try that was answered, whatever the answer.
struct RequestCounts {
  std::int64_t put = 0, get = 0, list = 0, remove = 0;  // `get` includes HEAD requests, `put` the creation of a bucket
  std::int64_t retries = 0;
  Bytes uploaded = 0, downloaded = 0;  // of bodies that were transferred completely
};

// A put carries x-amz-checksum-crc32c, which the service verifies. Over https or loopback the body's hash is not
// signed; over other http its SHA-256 is. A get compares the length with the announced one, and for a whole object the
// CRC-32C if the service returns one.
//
// A create_if_absent put whose answer was lost is repeated. The repeat may find the object of the first try and then
// returns already_there.
//
// The stores that until() and view() return share connections, counts and the rate of requests with this one.
class S3Store final : public Store, public Stoppable {
 public:
  // Errors: invalid_input for a malformed endpoint or an empty bucket name. Makes no request.
  static Result<std::unique_ptr<S3Store>> open(S3Options options);

  using Store::put;
  Result<PutOutcome> put(const std::string& key, std::span<const ConstBytes> pieces,
                         PutMode mode = PutMode::overwrite) override;
  Result<std::optional<Bytes>> get(const std::string& key, const Destination& destination,
                                   std::optional<ByteRange> range = {}) override;
  Result<std::optional<Bytes>> size(const std::string& key) override;
  Result<> remove(std::span<const std::string> keys) override;
  Result<std::vector<ListedObject>> list(const std::string& prefix) override;
  std::unique_ptr<Store> until(std::stop_token stop) override { return view(std::move(stop)); }
  std::unique_ptr<S3Store> view(std::stop_token stop);  // the same with its own type

  Result<bool> bucket_exists();
  Result<> create_bucket();  // no error if the bucket exists and is ours

  RequestCounts counts() const;

 private:
  struct Call;     // one request before it is signed
  struct Service;  // what a store and its views share
  S3Store(std::shared_ptr<Service> service, std::stop_token stop);

  Result<HttpAnswer> send(const Call& call);
  Result<> remove_batch(std::span<const std::string> keys);
  std::string place(const std::string& key) const;
  std::string path(const std::string& key) const;  // as sent, that is, percent-encoded
  tl::unexpected<Error> refused(const HttpAnswer& answer, const std::string& where) const;

  const std::shared_ptr<Service> service_;
  const std::stop_token stop_;
};

}  // namespace funcpipe
