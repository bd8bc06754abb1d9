// Which operation a request asks for, of which bucket and key. What is not served, or would not be kept, is refused
// here by name: a parameter or an x-amz- header that is not in the tables never reaches an operation.
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
  get_object,  // HEAD too
  delete_object,
  create_upload,
  upload_part,
  complete_upload,
  abort_upload,
  list_parts
};

struct S3Target {
  std::string bucket, key;  // empty: of the service, of the bucket
};

// From the path ("/bucket/key") or, in virtual-host style, from the Host header too: BUCKET.localhost,
// BUCKET.127.0.0.1, BUCKET.s3.REGION.amazonaws.com. InvalidBucketName, KeyTooLongError, InvalidRequest (a host that is
// neither this machine nor a bucket's).
tl::expected<S3Target, Refusal> s3_target(const HttpRequest& request);

inline constexpr std::size_t kLongestKey = 1024;  // bytes

// NotImplemented, MethodNotAllowed. AccessDenied if x-amz-expected-bucket-owner names another account.
tl::expected<S3Operation, Refusal> s3_operation(const HttpRequest& request, const S3Target& target);

// A presigned request may carry headers as parameters; they become headers.
void take_presigned_headers(HttpRequest& request);

// The account the emulator's buckets belong to.
inline constexpr std::string_view kS3Account = "000000000000";

// AccessDenied if an account with this scope may not do that. DeleteObjects is judged key by key as well.
std::optional<Refusal> judge_scope(const StoreScope& scope, S3Operation operation, const S3Target& target,
                                   const HttpRequest& request);
Refusal access_denied();

}  // namespace funcpipe
