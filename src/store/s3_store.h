// The S3 client: AWS S3, the emulator, MinIO, Ceph, OSS (virtual-host style).
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
  // While tries meet nothing but silence: how long to go on, whatever the number of tries, if that is longer than
  // retry.total. A service that is silent on this machine is one whose process is stopped, and goes on where it was.
  Seconds total_silent = 0;
};

// Requests as the service bills them: every try that was answered, whatever the answer.
struct RequestCounts {
  std::int64_t put = 0, get = 0, list = 0, remove = 0;  // get: HEAD too; put: bucket requests too
  std::int64_t retries = 0;
  Bytes uploaded = 0, downloaded = 0;  // of bodies that arrived whole
};

// Bodies go out with x-amz-checksum-crc32c, which the service verifies. Over https or loopback the body is otherwise
// unsigned; over other http its SHA-256 is signed. A whole object is verified when the service returns its CRC-32C,
// and always against the announced length.
//
// A create_if_absent put whose answer was lost is repeated, and may then find its own object: already_there.
//
// Views (until) share connections, counts and the rate of requests with the store they are of.
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
  std::unique_ptr<S3Store> view(std::stop_token stop);  // the same

  Result<bool> bucket_exists();
  Result<> create_bucket();  // no error if it is ours already

  RequestCounts counts() const;

 private:
  struct Call;     // one request before it is signed
  struct Service;  // what a store and its views share
  S3Store(std::shared_ptr<Service> service, std::stop_token stop);

  Result<HttpAnswer> send(const Call& call);
  Result<> remove_batch(std::span<const std::string> keys);
  std::string place(const std::string& key) const;
  std::string path(const std::string& key) const;  // as it goes over the wire
  tl::unexpected<Error> refused(const HttpAnswer& answer, const std::string& where) const;

  const std::shared_ptr<Service> service_;
  const std::stop_token stop_;
};

}  // namespace funcpipe
