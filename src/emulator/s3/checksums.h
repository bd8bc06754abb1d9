// The checksum algorithms of S3, and what a request claims about its body's checksum. Source:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "emulator/http/message.h"
#include "emulator/request_signature.h"
#include "emulator/s3/object_file.h"

namespace funcpipe {

struct ChecksumAlgorithm {
  std::string_view name;     // as in x-amz-checksum-<name> and in BodyDigests
  std::string_view upper;    // as values of headers spell it
  std::string_view element;  // as XML documents spell it
  std::size_t bytes = 0;     // of the raw digest
  bool composite = true;     // may be computed from the parts' checksums
  bool full_object = true;   // may be computed from the whole content
};

const std::vector<ChecksumAlgorithm>& checksum_algorithms();
// `name` may be in upper or lower case. Returns nullptr if S3 has no such algorithm.
const ChecksumAlgorithm* find_checksum(std::string_view name);

inline constexpr std::string_view kFullObject = "FULL_OBJECT", kComposite = "COMPOSITE";

// What a request claims about its body's checksum.
struct ChecksumClaim {
  const ChecksumAlgorithm* algorithm = nullptr;  // nullptr: it claims nothing
  std::string value;                             // base64
  bool trailing = false;                         // the value follows the body
};

// Reads the claim from the headers. Refuses contradictions, algorithms S3 does not have, and values of a wrong form.
// `chunked`: the body is aws-chunked and may have a trailer.
tl::expected<ChecksumClaim, Refusal> read_checksum_claim(const HttpRequest& request, bool chunked);

// Returns the claimed value, from the trailer or from the header. Refuses the request unless exactly the announced
// trailer came.
tl::expected<std::string, Refusal> claimed_value(const ChecksumClaim& claim, const NamedValues& trailers);

// What CreateMultipartUpload says about checksums.
struct UploadChecksum {
  const ChecksumAlgorithm* algorithm = nullptr;  // nullptr: none
  std::string_view type;
};
tl::expected<UploadChecksum, Refusal> read_upload_checksum(const HttpRequest& request);

// Appends the headers that report a checksum: x-amz-checksum-<name> and x-amz-checksum-type.
void append_checksum(NamedValues& headers, const StoredChecksum& checksum);

}  // namespace funcpipe
