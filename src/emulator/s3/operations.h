// Finds which operation a request asks for, and of which bucket and key. A request that is not supported, or has a part
// that would have no effect, is refused here by name: a parameter or x-amz- header outside the tables never reaches an
// operation.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"

namespace funcpipe {

enum class S3Operation {
  list_buckets,
  create_bucket,
  head_bucket,
  delete_bucket,
  bucket_location,
  list,
  delete_objects,
  put_object,
  get_object,  // HEAD, too
  delete_object,
  create_upload,
  upload_part,
  complete_upload,
  abort_upload,
  list_parts
};

struct S3Target {
  std::string bucket, key;  // an empty key means the bucket, an empty bucket the service
};

// Takes bucket and key from the path ("/bucket/key") or, in virtual-host style, also from the Host header:
// BUCKET.localhost, BUCKET.127.0.0.1, BUCKET.s3.REGION.amazonaws.com. Errors: InvalidBucketName, KeyTooLongError, or
// InvalidRequest if the host is neither this machine nor a bucket's.
tl::expected<S3Target, Refusal> s3_target(const HttpRequest& request);

inline constexpr std::size_t kLongestKey = 1024;  // bytes

// Errors: NotImplemented, MethodNotAllowed, or AccessDenied if x-amz-expected-bucket-owner names another account.
tl::expected<S3Operation, Refusal> s3_operation(const HttpRequest& request, const S3Target& target);

// Turns those parameters of a presigned request that stand for headers into headers.
void take_presigned_headers(HttpRequest& request);

// The account that owns the emulator's buckets.
inline constexpr std::string_view kS3Account = "000000000000";

// Returns AccessDenied if an account with this scope may not do that. DeleteObjects is checked key by key as well.
std::optional<Refusal> judge_scope(const StoreScope& scope, S3Operation operation, const S3Target& target,
                                   const HttpRequest& request);
Refusal access_denied();

}  // namespace funcpipe
