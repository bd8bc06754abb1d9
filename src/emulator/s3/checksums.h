// The checksums of S3: which there are, and what a request claims of its body.
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
  std::string_view name;     // as in x-amz-checksum-<name>, and of BodyDigests
  std::string_view upper;    // as values write it
  std::string_view element;  // as documents write it
  std::size_t bytes = 0;     // of the raw digest
  bool composite = true;     // of parts' checksums
  bool full_object = true;   // of the content, whatever its parts
};

const std::vector<ChecksumAlgorithm>& checksum_algorithms();
// `name` in any case; nullptr if S3 has none of that name.
const ChecksumAlgorithm* find_checksum(std::string_view name);

inline constexpr std::string_view kFullObject = "FULL_OBJECT", kComposite = "COMPOSITE";

// What a request says of its body's checksum.
struct ChecksumClaim {
  const ChecksumAlgorithm* algorithm = nullptr;  // nullptr: nothing
  std::string value;                             // base64
  bool trailing = false;                         // `value` follows the body
};

// Refuses what contradicts itself, what S3 does not have, and values that cannot be right.
// `chunked`: the body is aws-chunked and may have a trailer.
tl::expected<ChecksumClaim, Refusal> read_checksum_claim(const HttpRequest& request, bool chunked);

// The value that came behind the body, or that was claimed; refused unless exactly the announced trailer came.
tl::expected<std::string, Refusal> claimed_value(const ChecksumClaim& claim, const NamedValues& trailers);

// What CreateMultipartUpload says of checksums.
struct UploadChecksum {
  const ChecksumAlgorithm* algorithm = nullptr;  // nullptr: none
  std::string_view type;
};
tl::expected<UploadChecksum, Refusal> read_upload_checksum(const HttpRequest& request);

// The headers that tell of a checksum: x-amz-checksum-<name>, x-amz-checksum-type.
void append_checksum(NamedValues& headers, const StoredChecksum& checksum);

}  // namespace funcpipe
